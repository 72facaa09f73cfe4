/** Hosts that come from one stack into three, and the other way, by the script that `stacks --from` prints. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { App } from "cdktf";
import { stringify } from "yaml";
import { parseFleet } from "../../lib/fleet/fleet-file";
import { addStacks } from "../../lib/fleet/fleet-stack";
import { stacksOf } from "../../lib/fleet/stacks";
import { program, run } from "../cli/support/run";
import { describeLab } from "../lab/describe-lab";
import { Lab, type RunResult } from "../lab/lab";
import { nullProvider, type ProviderChoice, Terraform, terraformEnvironment } from "../lab/terraform";
import { controllerOnly, hostEntries } from "./support/deployment";
import { changesIn, lockedHosts, lockIdOf, type PlanJson, statusOf, TRACKERS } from "./support/tracked-deployment";

jest.setTimeout(300_000);

describeLab("hosts that change their stack", () => {
  describe.each(TRACKERS)("with %s", (tracker) => {
    const names = ["web-1", "web-2", "web-3", "web-4", "web-5"];
    let lab: Lab;
    let provider: ProviderChoice | undefined;
    let folder: string;

    beforeAll(async () => {
      // One of them has a ruleset of its own.
      lab = await Lab.create({ hosts: names.map((name) => (name === "web-3" ? { name, sshPort: 2222 } : { name })) });
      provider = tracker === "null_resource" ? await nullProvider(lab) : undefined;
      folder = lab.makeFolder("stacks");
    });
    afterAll(async () => {
      provider?.stop();
      await lab?.destroy();
    });

    /** Writes the fleet file and its stacks, as cdktf synth does. */
    const synthesized = async (file: string, settings: object, hosts = names): Promise<Map<string, Terraform>> => {
      const all = Object.entries(hostEntries(lab)).filter(([name]) => hosts.includes(name));
      const terraform = { backend: { local: { path: join(folder, "{stack}.tfstate") } } };
      const text = stringify({
        tracker,
        allowFrom: controllerOnly,
        terraform,
        hosts: Object.fromEntries(all),
        ...settings,
      });
      writeFileSync(join(folder, file), text);
      const { fleet, problems } = parseFleet(text);
      expect(problems).toEqual([]);
      const outdir = join(folder, `${file}.out`);
      const app = new App({ outdir });
      addStacks(app, fleet!);
      app.synth();
      const stacks = stacksOf(fleet!).map(
        ({ name }) => [name, new Terraform(lab, join(outdir, "stacks", name), provider)] as const,
      );
      for (const [, stack] of stacks) {
        await stack.init();
      }
      return new Map(stacks);
    };

    const stacksCommand = program("ssh-only-firewall").join(" ");
    const migrate = async (from: string, to: string, tool = stacksCommand): Promise<RunResult> => {
      const { code, stdout, stderr } = run(program("ssh-only-firewall", "stacks", to, "--from", from), folder);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      writeFileSync(join(folder, "move.sh"), stdout);
      const env = { ...terraformEnvironment(lab, provider), SSH_ONLY_FIREWALL: tool };
      return lab.controller.exec(["sh", "move.sh"], { cwd: folder, env, check: false });
    };

    const planned = async (stack: Terraform): Promise<string[]> =>
      changesIn(await stack.showJson<PlanJson>((await stack.plan()).file));

    test("stay locked, by the same lock, and no plan touches them", async () => {
      const one = await synthesized("one.yaml", {});
      await one.get("fleet")?.apply();
      expect(await lockedHosts(lab.hosts)).toEqual(names);
      const locks = await Promise.all(lab.hosts.map(lockIdOf));
      const owners = (await Promise.all(lab.hosts.map(statusOf))).map((status) => status?.owner);
      const expectUntouched = async (): Promise<void> => {
        expect(await lockedHosts(lab.hosts)).toEqual(names);
        expect(await Promise.all(lab.hosts.map(lockIdOf))).toEqual(locks);
        expect((await Promise.all(lab.hosts.map(statusOf))).map((status) => status?.owner)).toEqual(owners);
      };

      const three = await synthesized("three.yaml", { stacks: 3 });
      expect([...three.keys()]).toEqual(["fleet-0", "fleet-1", "fleet-2"]);

      // Between the two steps every host is in both states; nothing is lost, and the next run ends it.
      writeFileSync(
        join(folder, "arrive-only"),
        `#!/bin/sh\n[ "$2" = arrive ] || exit 9\nexec ${stacksCommand} "$@"\n`,
        { mode: 0o755 },
      );
      expect((await migrate("one.yaml", "three.yaml", join(folder, "arrive-only"))).code).toBe(9);
      const moved = await migrate("one.yaml", "three.yaml");
      expect(moved).toMatchObject({ code: 0, stderr: "" });
      expect(await migrate("one.yaml", "three.yaml")).toMatchObject({ code: 0, stderr: "" });

      const inStates = new Map<string, string[]>();
      for (const [name, stack] of three) {
        inStates.set(name, await stack.stateHosts(/_(hold|lockdown)$/));
        const changes = await planned(stack);
        // A ruleset is text in the state, and an update of a hold is what it remembers of the connection.
        expect(changes.filter((change) => !/^(create fleet_ruleset|update fleet_hold)\./.test(change))).toEqual([]);
        expect(changes).toContainEqual(expect.stringMatching(/^create fleet_ruleset\./));
        await stack.apply();
        expect(await planned(stack)).toEqual([]);
      }
      expect([...inStates.values()].flat().sort()).toEqual(names);
      expect([...inStates.values()].every((hosts) => hosts.length > 0)).toBe(true);
      expect(await one.get("fleet")?.stateList()).toEqual([]);
      await expectUntouched();

      // Back into fewer, one of which has its hosts already.
      const two = await synthesized("two.yaml", { stacks: 2 });
      expect((await migrate("three.yaml", "two.yaml")).code).toBe(0);
      for (const [, stack] of two) {
        const changes = await planned(stack);
        expect(
          changes.filter((change) => !/^(create|delete) fleet_ruleset\.|^update fleet_hold\./.test(change)),
        ).toEqual([]);
        await stack.apply();
      }
      expect(await three.get("fleet-2")?.stateList()).toEqual([]);
      await expectUntouched();

      // What was moved is still what unlocks a host.
      const fewer = await synthesized("fewer.yaml", { stacks: 2 }, names.slice(1));
      for (const [, stack] of fewer) {
        await stack.apply();
      }
      expect(await lockedHosts(lab.hosts)).toEqual(names.slice(1));
      for (const [, stack] of fewer) {
        await stack.destroy();
      }
      expect(await lockedHosts(lab.hosts)).toEqual([]);
    });
  });
});
