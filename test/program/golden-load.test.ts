/** Every golden ruleset is taken by the real firewalls, which say so without a warning. */
import { golden, rendered } from "../ruleset/support/golden";
import { describeWithRoot, Namespace } from "../ruleset/support/namespaces";
import { withTokensResolved } from "../ruleset/support/policies";

const COMMANDS = ["ip", "unshare", "nsenter", "nft", "iptables-nft-restore", "iptables-legacy-restore"];

describeWithRoot("golden rulesets in real firewalls", COMMANDS, () => {
  let namespace: Namespace;
  beforeAll(async () => (namespace = await Namespace.open()));
  afterAll(() => namespace.close());

  const silence = { code: 0, stdout: "", stderr: "" };
  const named = (ending: RegExp): string[] => Object.keys(rendered).filter((name) => ending.test(name));

  test.each(named(/\.nft$/))("%s is taken by nft, over and over again", async (name) => {
    const text = withTokensResolved(golden(name));
    expect(await namespace.run("nft -c -f -", text)).toEqual(silence);
    await namespace.must("nft flush ruleset");
    expect(await namespace.run("nft -f -", text)).toEqual(silence);
    const listed = await namespace.must("nft list ruleset");
    expect(await namespace.run("nft -f -", text)).toEqual(silence);
    expect(await namespace.must("nft list ruleset")).toBe(listed);
  });

  test("the table is replaced as a whole: nothing of a former ruleset stays, and other tables do", async () => {
    await namespace.must("nft flush ruleset");
    await namespace.must("nft add table inet other");
    await namespace.must("nft -f -", rendered["observe.nft"]);
    await namespace.must("nft -f -", rendered["default.nft"]);
    const listed = await namespace.must("nft list ruleset");
    expect(listed).toContain("table inet other");
    expect(listed).not.toContain("asked_in");
    await namespace.must("nft flush ruleset");
  });

  describe.each(["nft", "legacy"])("with iptables-%s", (variant) => {
    const command = (name: string, verb: string): string =>
      `${name.endsWith(".v4") ? "iptables" : "ip6tables"}-${variant}-${verb}`;
    // The lock of the legacy variant is one for the whole machine, and other tests may hold it.
    const wait = variant === "legacy" ? "-w 20" : "";

    test.each(named(/^[^/]*\.v[46]$/))("%s is taken as an overlay, over and over again", async (name) => {
      const text = withTokensResolved(golden(name));
      const load = `${command(name, "restore")} ${wait} --noflush`;
      expect(await namespace.run(`${load} --test`, text)).toEqual(silence);
      expect(await namespace.run(load, text)).toEqual(silence);
      const listed = await rules(command(name, "save"));
      expect(await namespace.run(load, text)).toEqual(silence);
      expect(await rules(command(name, "save"))).toBe(listed);
    });

    test.each(named(/^whole-file\//))("%s is taken as a whole", async (name) => {
      const load = `${command(name, "restore")} ${wait}`;
      expect(await namespace.run(`${load} --test`, rendered[name])).toEqual(silence);
      expect(await namespace.run(load, rendered[name])).toEqual(silence);
      expect(await rules(command(name, "save"))).toMatch(/^:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP$/m);
    });

    test.each(named(/^whole-file\//))("the way back that %s describes opens the host again", async (name) => {
      await namespace.must(`${command(name, "restore")} ${wait}`, rendered[name]);
      const described = /3\. Run: (setsid .*) &$/m.exec(golden(name))?.[1] ?? "";
      const own = described
        .replace("sleep 120", "sleep 0.1")
        .replace(/\/run\/keep-/g, "/nowhere/keep-")
        .replace(/\bip6?tables /g, (word) => `${word.trim()}-${variant} ${wait} `);
      await namespace.must(own);
      expect(await rules(command(name, "save"))).not.toMatch(/^-A|DROP/m);
    });

    /** The rules in force, without counters and the time of day. */
    async function rules(save: string): Promise<string> {
      const text = await namespace.must(`${save} -t filter 2>/dev/null`);
      return text.replace(/^#.*\n/gm, "").replace(/ \[\d+:\d+\]/g, "");
    }
  });
});
