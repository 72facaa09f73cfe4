/** The installed package beside either framework, and beside mixtures of them, as npm lays them out. */
import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Ended, emptyFolder, ROOT, run } from "../../cli/support/run";

const OWN = "cdktf-ssh-only-firewall";
type Source = "cdktf" | "cdktn" | "shim";

/** The package as it was installed. */
let own: string;

/** A project whose node_modules has, under each name, a copy of a package; and in our own, what `nested` names. */
function project(installed: Readonly<Record<string, Source>>, nested: Readonly<Record<string, Source>> = {}): string {
  const folder = emptyFolder();
  writeFileSync(join(folder, "package.json"), "{}");
  const modules = join(folder, "node_modules");
  const provider = "cdktf" in installed ? ["@cdktf/provider-null"] : [];
  copy(own, join(modules, OWN));
  ["constructs", "ipaddr.js", ...provider].forEach((name) => copy(inRoot(name), join(modules, name)));
  const place = (into: string, [name, source]: [string, Source]): void =>
    source === "shim" ? shim(join(into, name)) : copy(inRoot(source), join(into, name));
  Object.entries(installed).forEach((one) => place(modules, one));
  Object.entries(nested).forEach((one) => place(join(modules, OWN, "node_modules"), one));
  return folder;
}

const inRoot = (name: string): string => realpathSync(join(ROOT, "node_modules", name));

/** By hard links where it can: another path makes another copy to Node. */
function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  if (run(["cp", "-al", from, to], ROOT).code !== 0) {
    expect(run(["cp", "-rT", from, to], ROOT)).toMatchObject({ code: 0, stderr: "" });
  }
}

function shim(folder: string): void {
  mkdirSync(folder);
  writeFileSync(join(folder, "index.js"), 'module.exports = require("cdktn");\n');
}

interface App {
  readonly framework: string;
  readonly entry: string;
  readonly tracker?: string;
}

function synth(folder: string, { framework, entry, tracker = "null_resource" }: App): Ended {
  rmSync(join(folder, "cdktf.out"), { recursive: true, force: true });
  writeFileSync(
    join(folder, "app.js"),
    `const { App, TerraformStack } = require(${JSON.stringify(framework)});
    const { SshOnlyFirewall } = require(${JSON.stringify(entry)});
    const app = new App();
    const stack = new TerraformStack(app, "old-servers");
    new SshOnlyFirewall(stack, "fleet", {
      tracker: ${JSON.stringify(tracker)},
      allowFrom: ["198.51.100.0/24"],
      detectDrift: true,
      hosts: { "web-1": "192.0.2.10", "web-2": { address: "192.0.2.11", sshPort: 2222 } },
    });
    app.synth();`,
  );
  return run([process.execPath, "app.js"], folder);
}

const configuration = (folder: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(folder, "cdktf.out/stacks/old-servers/cdk.tf.json"), "utf8")) as never;

const cdktf: App = { framework: "cdktf", entry: OWN };
const cdktn: App = { framework: "cdktn", entry: `${OWN}/cdktn` };

const REMEDY = {
  cdktn: 'Import SshOnlyFirewall from "cdktf-ssh-only-firewall/cdktn".',
  cdktf: 'Import SshOnlyFirewall from "cdktf-ssh-only-firewall".',
  oneCopy: (name: string): string => `Let npm install one copy of ${name}: npm ls ${name} shows`,
};

export function describeFrameworks(installed: () => string): void {
  beforeAll(() => {
    own = installed();
  });

  test.each(["null_resource", "terraform_data"])(
    "both frameworks write the same configuration with %s, and cdktn needs no provider package",
    (tracker) => {
      const [old, current] = [project({ cdktf: "cdktf" }), project({ cdktn: "cdktn" })];
      expect(synth(old, { ...cdktf, tracker })).toMatchObject({ code: 0, stderr: "" });
      expect(synth(current, { ...cdktn, tracker })).toMatchObject({ code: 0, stderr: "" });
      const comparable = (folder: string): object => {
        const written = configuration(folder);
        delete written["//"];
        delete (written.terraform as { backend?: object }).backend;
        // A provider's short name means the one of hashicorp.
        return JSON.parse(JSON.stringify(written).replace('"source":"null"', '"source":"hashicorp/null"')) as object;
      };
      expect(comparable(current)).toEqual(comparable(old));
      expect(JSON.stringify(configuration(current))).toContain('"192.0.2.11"');
    },
    30_000,
  );

  test.each<[string, Record<string, Source>, Record<string, Source>, App, string]>([
    [
      "a cdktn app, with both installed",
      { cdktf: "cdktf", cdktn: "cdktn" },
      {},
      { ...cdktn, entry: OWN },
      REMEDY.cdktn,
    ],
    [
      "a cdktn app, and cdktf overridden by another copy",
      { cdktf: "cdktn", cdktn: "cdktn" },
      {},
      { ...cdktn, entry: OWN },
      REMEDY.cdktn,
    ],
    [
      "a cdktf app and the entry of cdktn",
      { cdktf: "cdktf", cdktn: "cdktn" },
      {},
      { ...cdktf, entry: cdktn.entry },
      REMEDY.cdktf,
    ],
    ["two copies of cdktf", { cdktf: "cdktf" }, { cdktf: "cdktf" }, cdktf, REMEDY.oneCopy("cdktf")],
    ["two copies of cdktn", { cdktn: "cdktn" }, { cdktn: "cdktn" }, cdktn, REMEDY.oneCopy("cdktn")],
    [
      "an app on an alias of cdktn, and the entry of cdktn",
      { cdktf: "cdktn", cdktn: "cdktn" },
      {},
      { ...cdktf, entry: cdktn.entry },
      REMEDY.oneCopy("cdktn"),
    ],
  ])(
    "fails at synth with the remedy: %s",
    (_what, installed, nested, app, remedy) => {
      const folder = project(installed, nested);
      for (const tracker of ["null_resource", "terraform_data"]) {
        const { code, stderr } = synth(folder, { ...app, tracker });
        expect(code).toBe(1);
        expect(stderr).toContain("Error: old-servers/fleet: the stack was made with ");
        expect(stderr).toContain(remedy);
      }
    },
    30_000,
  );

  test.each<[string, Record<string, Source>, App]>([
    ["cdktn stands for cdktf, and the app imports cdktf", { cdktf: "cdktn" }, cdktf],
    [
      "cdktf is a shim of cdktn, and the app imports cdktn",
      { cdktf: "shim", cdktn: "cdktn" },
      { ...cdktn, entry: OWN },
    ],
  ])(
    "works where there is one copy: %s",
    (_what, installed, app) => {
      const folder = project(installed);
      expect(synth(folder, app)).toMatchObject({ code: 0, stderr: "" });
      expect(JSON.stringify(configuration(folder))).toContain('"192.0.2.11"');
    },
    30_000,
  );
}
