import * as fs from "node:fs";
import * as path from "node:path";
import { NullProvider as CdktfNullProvider } from "@cdktf/provider-null/lib/provider";
import { Resource } from "@cdktf/provider-null/lib/resource";
import { DataResource, Fn } from "cdktf";
import { items } from "../support/required";
import { describeLab } from "./describe-lab";
import { Lab, type Host } from "./lab";
import { startNullProvider } from "./null-provider";
import { cdktf, nullProvider, synthStack, Terraform, type ProviderChoice } from "./terraform";

interface ShownPlan {
  readonly resource_changes: readonly {
    readonly address: string;
    readonly change: { readonly actions: readonly string[]; readonly after_unknown: object };
  }[];
}

const actionsOf = (plan: ShownPlan): Record<string, string> =>
  Object.fromEntries(plan.resource_changes.map(({ address, change }) => [address, change.actions.join(" ")]));

describeLab(
  "Terraform in a lab",
  () => {
    let lab: Lab;
    let standIn: ProviderChoice;
    beforeAll(async () => {
      lab = await Lab.create({ hosts: [{ name: "web-1" }, { name: "ops-1", user: "ops" }] });
      const provider = await startNullProvider(lab.folder);
      standIn = { kind: "stand-in", env: provider.env, stop: () => provider.stop() };
    });
    afterAll(async () => {
      standIn?.stop();
      await lab?.destroy();
    });

    /** What a fleet looks like: a text, a hold and a lockdown a host, in for_each over a local. */
    const fleet = (hosts: readonly Host[], text: string, keepText?: string): string => `
      terraform {
        required_providers {
          null = {
            source = "hashicorp/null"
          }
        }
      }
      locals {
        hosts = {
          ${hosts.map((host) => `${host.name} = { address = "${host.ipv4}", user = "${host.user}", key = "${host.hostKey}" }`).join("\n")}
        }
      }
      resource "null_resource" "text" {
        triggers = { text = "${text}"${keepText === undefined ? "" : `, keep = ${keepText}`} }
      }
      resource "null_resource" "bare" {}
      resource "null_resource" "hold" {
        for_each = local.hosts
        triggers = { address = each.value.address }
      }
      resource "null_resource" "lockdown" {
        for_each = local.hosts
        triggers = { text = null_resource.text.id, hold = null_resource.hold[each.key].id }
        connection {
          host        = each.value.address
          user        = each.value.user
          host_key    = each.value.key
          private_key = file("${lab.privateKeyPath}")
          script_path = "./.lab-%RAND%.sh"
        }
        provisioner "remote-exec" {
          inline = ["sudo -n sh -c 'echo lock ${text} >>/var/log/lab-fleet'"]
        }
        provisioner "remote-exec" {
          inline = ["sudo -n sh -c 'echo confirm ${text} >>/var/log/lab-fleet'"]
        }
      }`;

    const logOf = async (host: Host): Promise<string> => (await host.exec("cat /var/log/lab-fleet")).stdout;

    test("applies, plans nothing, replaces and destroys null_resource with the stand-in", async () => {
      const folder = lab.makeFolder("fleet");
      const write = (...args: Parameters<typeof fleet>): void =>
        fs.writeFileSync(path.join(folder, "main.tf"), fleet(...args));
      const terraform = new Terraform(lab, folder, standIn);

      write(lab.hosts, "one");
      await terraform.init();
      const first = await terraform.plan();
      const shown = await terraform.showJson<ShownPlan>(first.file);
      expect(first.hasChanges).toBe(true);
      expect(actionsOf(shown)).toEqual({
        "null_resource.text": "create",
        "null_resource.bare": "create",
        'null_resource.hold["ops-1"]': "create",
        'null_resource.hold["web-1"]': "create",
        'null_resource.lockdown["ops-1"]': "create",
        'null_resource.lockdown["web-1"]': "create",
      });
      const lockdown = shown.resource_changes.find(({ address }) => address === 'null_resource.lockdown["web-1"]');
      expect(lockdown?.change.after_unknown).toEqual({ id: true, triggers: { text: true, hold: true } });

      const applied = await terraform.apply([first.file]);
      expect(applied.stdout).toContain("6 added, 0 changed, 0 destroyed");
      for (const host of lab.hosts) {
        expect(await logOf(host)).toBe("lock one\nconfirm one\n");
      }
      expect(await terraform.stateHosts()).toEqual(["ops-1", "web-1"]);
      expect(await terraform.stateHosts(/text/)).toEqual([]);
      const ids = (await terraform.run(["state", "show", "-no-color", "null_resource.bare"])).stdout;
      expect(ids).toMatch(/id = "\d{10,19}"/);

      expect((await terraform.plan()).hasChanges).toBe(false);

      write(lab.hosts, "two");
      const second = await terraform.plan();
      expect(second.stdout).toContain('~ "text" = "one" -> "two"');
      expect(second.stdout).toContain("# forces replacement");
      expect(actionsOf(await terraform.showJson<ShownPlan>(second.file))).toMatchObject({
        "null_resource.text": "delete create",
        'null_resource.hold["web-1"]': "no-op",
        'null_resource.lockdown["web-1"]': "delete create",
      });
      await terraform.apply([second.file]);
      expect(await logOf(lab.host("ops-1"))).toBe("lock one\nconfirm one\nlock two\nconfirm two\n");

      // A value that is known only after apply, in the trigger of a resource that is there already.
      write(lab.hosts, "two", "null_resource.bare.id");
      await terraform.apply(["-replace=null_resource.bare"]);
      expect((await terraform.plan()).hasChanges).toBe(false);

      write([lab.host("ops-1")], "two", "null_resource.bare.id");
      await terraform.apply();
      expect(await terraform.stateHosts()).toEqual(["ops-1"]);

      await terraform.destroy();
      expect(await terraform.stateList()).toEqual([]);
    });

    test("fails with the output of the host, and taints only that host", async () => {
      const folder = lab.makeFolder("failing");
      const main = fleet(lab.hosts, "three").replace(
        "inline = [",
        'inline = ["[ $(hostname) = ops-1 ] || { echo no thanks >&2; exit 7; }", ',
      );
      fs.writeFileSync(path.join(folder, "main.tf"), main);
      const terraform = new Terraform(lab, folder, standIn);
      await terraform.init();
      const { code, stdout, stderr } = await terraform.apply([], { check: false });
      expect({ code, stdout, stderr }).toEqual({
        code: 1,
        stdout: expect.stringContaining("no thanks"),
        stderr: expect.stringContaining("Process exited with status 7"),
      });
      const shown = await terraform.showJson<{
        values: { root_module: { resources: { address: string; tainted?: true }[] } };
      }>();
      const tainted = shown.values.root_module.resources.filter((resource) => resource.tainted);
      expect(tainted.map(({ address }) => address)).toEqual(['null_resource.lockdown["web-1"]']);
      await expect(terraform.plan(["-var=nonsense=1"])).rejects.toThrow("undeclared variable");
    });

    test("deploys and destroys with the cdktf command, and keeps its state in the lab", async () => {
      const provider = await nullProvider(lab);
      const [host] = items(lab.hosts, 1);
      const stack = synthStack(lab, (scope) => {
        new CdktfNullProvider(scope, "null");
        const hold = new Resource(scope, "hold", { triggers: { address: host.ipv4 } });
        new Resource(scope, "lockdown", {
          triggers: { hold: hold.id },
          connection: {
            type: "ssh",
            host: host.ipv4,
            user: host.user,
            hostKey: host.hostKey,
            privateKey: Fn.file(lab.privateKeyPath),
          },
          provisioners: [{ type: "remote-exec", inline: ["echo by cdktf >/var/log/lab-cdktf"] }],
        });
      });
      expect((await cdktf(lab, stack, "deploy", { provider })).stdout).toContain("2 added, 0 changed, 0 destroyed");
      expect((await host.exec("cat /var/log/lab-cdktf")).stdout).toBe("by cdktf\n");
      const terraform = new Terraform(lab, stack.folder, provider);
      expect(await terraform.stateList()).toEqual(["null_resource.hold", "null_resource.lockdown"]);
      expect(fs.existsSync(path.join(path.dirname(stack.outdir), "terraform.fleet.tfstate"))).toBe(true);
      expect((await cdktf(lab, stack, "destroy", { provider })).stdout).toContain("2 destroyed");
      expect(await terraform.stateList()).toEqual([]);
      provider.stop();
    });

    test("synthesises again into the same state", async () => {
      const build = (value: string) => (scope: ConstructorParameters<typeof DataResource>[0]) =>
        void new DataResource(scope, "data", { input: { value } });
      const stack = synthStack(lab, build("one"));
      const terraform = new Terraform(lab, stack.folder);
      await terraform.init();
      await terraform.apply();
      synthStack(lab, build("two"), { outdir: stack.outdir });
      expect((await terraform.plan()).stdout).toContain("0 to add, 1 to change, 0 to destroy");
    });

    test("keeps the machine's Terraform settings out", async () => {
      const { stdout } = await lab.controller.exec("env", { env: { TF_LOG: undefined } });
      expect(stdout).not.toMatch(/^(TF_|SSH_AUTH_SOCK)/m);
      const terraform = new Terraform(lab, lab.makeFolder("empty"), standIn);
      expect((await terraform.run(["version"])).stderr).toBe("");
    });
  },
  { needs: "terraform" },
);
