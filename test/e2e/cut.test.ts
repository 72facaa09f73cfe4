/**
 * The power goes at every step of lock, confirm and unlock. Each command that the host program calls is a step; what is on
 * the disk before and after it is kept, and every different disk is booted once, by a real systemd.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hostProgram } from "../../lib/host/program";
import { eventually } from "../support/eventually";
import { Lab, type Host, type HostFirewall } from "../lab/lab";
import { lockScript, type LockScript } from "./support/lock-script";
import { describeBooted } from "../lab/systemd-root";

jest.setTimeout(900_000);

const program = "/var/lib/ssh-only-firewall/host.sh";
const verbs = ["lock", "confirm", "unlock"] as const;
type Verb = (typeof verbs)[number];

/** All that the program writes. Its log changes with every word, and decides nothing. */
const places = "/var/lib/ssh-only-firewall /etc/systemd/system /etc/init.d";
const shims = "/opt/steps";

/** A moment in a verb: which disk a power cut would leave, and where. */
interface Step {
  readonly disk: string;
  readonly where: string;
}

describeBooted("the power goes during", [{}], () => {
  describe.each(["nftables", "iptables-nft"] as const)("with %s,", (firewall: HostFirewall) => {
    let lab: Lab;
    let host: Host;
    const steps = {} as Record<Verb, Step[]>;

    const newLock = (recorded = false): LockScript =>
      lockScript(host, undefined, { PERSIST: true, ...(recorded ? { PROGRAM: recordedProgram() } : {}) });
    const lock = async (script: LockScript): Promise<void> => {
      await host.exec(["sh", "-s"], { input: script.script });
    };
    const run = (words: string): ReturnType<Host["exec"]> => host.exec(`sh ${program} ${words}`, { check: false });

    beforeAll(async () => {
      lab = await Lab.create({ hosts: [{ name: "old", firewall, system: {} }] });
      host = lab.host("old");
      await installShims(host);
      const script = newLock(true);
      const record = async (verb: Verb, act: () => Promise<unknown>): Promise<void> => {
        await host.exec(`mkdir -p ${shims}/${verb} && ln -sfn ${verb} ${shims}/now`);
        await act();
        steps[verb] = parseSteps((await host.exec(["cat", `${shims}/${verb}/list`])).stdout);
      };
      await record("lock", () => lock(script));
      await record("confirm", () => run(script.confirm));
      await record("unlock", async () => {
        await run(`unlock ${script.owner} 60`);
        await run(`confirm-unlock ${script.owner}`);
      });
      await host.exec(["rm", `${shims}/now`]);
    });
    afterAll(() => lab?.destroy());

    test("the steps are those of the program", () => {
      const commands = (verb: Verb): string => steps[verb].map(({ where }) => where).join("\n");
      expect(commands("lock")).toMatch(/mkdir[^]*mv -f .*\/pending[^]*systemd-run[^]*(nft -f|iptables-nft-restore)/);
      expect(commands("confirm")).toMatch(/systemctl.* enable[^]*mv -f .*\/pending .*\/confirmed/);
      expect(commands("unlock")).toMatch(
        /mv -f .*\/pending[^]*systemd-run[^]*rm -f .*\/confirmed[^]*systemctl.* stop[^]*rm -f .*\/pending[^]*rm -rf/,
      );
      for (const verb of verbs) {
        expect(new Set(steps[verb].map(({ disk }) => disk)).size).toBeGreaterThan(2);
      }
    });

    test.each(verbs)("%s: SSH works afterwards, the state is one of three, and the next deploy works", async (verb) => {
      const disks = [...new Map(steps[verb].map((step) => [step.disk, step.where])).entries()];
      const wrong: string[] = [];
      for (const [disk, where] of disks) {
        try {
          await cut(verb, disk);
        } catch (error) {
          wrong.push(`${where}: ${(error as Error).message}`);
        }
      }
      expect({ disks: disks.length, wrong }).toEqual({ disks: disks.length, wrong: [] });
    });

    async function cut(verb: Verb, disk: string): Promise<void> {
      await host.exec(`rm -rf ${places}; tar -xPf ${shims}/${verb}/${disk}.tar; sync`);
      await host.reboot();
      await eventually("a fresh SSH login works", async () => {
        return (await host.ssh("echo reached", { check: false })).stdout === "reached\n";
      });
      await host.untilBooted();
      const installed = (await host.exec(`[ -e ${program} ]`, { check: false })).code === 0;
      const rules = /ssh_only|SSH_ONLY/.test(await host.rules());
      if (installed) {
        const { stdout, code, stderr } = await run("status --json");
        const status = JSON.parse(stdout) as { state: string; rules: string };
        const wanted = rules ? { state: "locked", rules: "matches" } : { state: "open", rules: "none" };
        if (code !== 0 || status.state !== wanted.state || status.rules !== wanted.rules) {
          throw new Error(`status ${code} ${stdout}${stderr}, and rules of ours: ${rules}`);
        }
      } else if (rules) {
        throw new Error("there are rules, and nothing to take them away with");
      }
      const script = newLock();
      await lock(script);
      for (const words of [script.confirm, `unlock ${script.owner} 60`, `confirm-unlock ${script.owner}`]) {
        const { code, stdout, stderr } = await run(words);
        if (code !== 0) {
          throw new Error(`${words}: exit code ${code}: ${stdout}${stderr}`);
        }
      }
      const left = await host.exec(`ls -A /var/lib/ssh-only-firewall; find /etc -name 'ssh-only*'`);
      if (left.stdout !== "log\n" || /ssh_only|SSH_ONLY/.test(await host.rules())) {
        throw new Error(`after unlock there is still ${left.stdout}`);
      }
    }
  });
});

/** The program as it is, but each command it calls is a step that is kept. */
function recordedProgram(): string {
  const text = hostProgram();
  const changed = text.replace(/^PATH=/m, `export STEPS=${shims}/now PLACES='${places}'\nPATH=${shims}/bin:`);
  if (changed === text) {
    throw new Error("The program sets no PATH.");
  }
  // A program knows its size, and one of another size is not whole.
  return changed.replace(/\(\d{6} bytes\)/, `(${String(changed.trimEnd().length).padStart(6, "0")} bytes)`);
}

/** A shim for every command that the host has, so that none can be forgotten. */
async function installShims(host: Host): Promise<void> {
  await host.exec(`mkdir -p ${shims}/bin && cat >${shims}/step.sh && chmod 0755 ${shims}/step.sh`, {
    input: readFileSync(join(__dirname, "../lab/systemd-steps.sh")),
  });
  await host.exec(
    `for command in /usr/sbin/* /usr/bin/* /sbin/* /bin/*; do ln -sfn ${shims}/step.sh "${shims}/bin/\${command##*/}"; done
     rm -f ${shims}/bin/sh ${shims}/bin/sleep`,
  );
}

function parseSteps(list: string): Step[] {
  return list
    .trim()
    .split("\n")
    .map((line) => {
      const [disk = "", ...where] = line.split(" ");
      return { disk, where: where.join(" ") };
    });
}
