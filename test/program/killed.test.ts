/** A lock that is ended at any of its steps: whatever is done by then is undone, by itself. */
import { eventually } from "../support/eventually";
import { describeLab } from "../lab/describe-lab";
import { type Host, type HostFirewall, Lab } from "../lab/lab";
import { firewalls, foreignRules, HostProgram, lockSettings, rulesetsFor, watchdogs } from "./support/host-program";

/** More than the calls of firewall tools that any lock makes; the last ones end after the lock has. */
const steps = Array.from({ length: 12 }, (_, index) => index + 1);

/** Once `count` calls are done, the caller gets the signal, with all that belongs to it. The watchdog does not. */
const interruptedTools = `
for tool in nft iptables-nft-restore ip6tables-nft-restore iptables-legacy-restore ip6tables-legacy-restore \\
  iptables-nft-save ip6tables-nft-save iptables-legacy-save ip6tables-legacy-save; do
  [ -e /usr/sbin/$tool ] || continue
  cat >/usr/local/sbin/$tool <<'END'
#!/bin/sh
[ -e /run/cut ] || exec /usr/sbin/\${0##*/} "$@"
case $(tr '\\0' ' ' </proc/$PPID/cmdline) in *' watchdog '*) exec /usr/sbin/\${0##*/} "$@" ;; esac
read -r signal count </run/cut
echo call >>/run/calls
/usr/sbin/\${0##*/} "$@"
code=$?
if [ "$(wc -l </run/calls)" -eq "$count" ]; then
  rm /run/cut
  trap '' HUP
  kill -s "$signal" 0
fi
exit "$code"
END
  chmod 0755 /usr/local/sbin/$tool
done
`;

const cuts = [
  { signal: "KILL", before: "open" },
  { signal: "KILL", before: "locked" },
  { signal: "HUP", before: "open" },
  { signal: "HUP", before: "locked" },
] as const;

describe.each(firewalls)("with %s", (firewall: HostFirewall) => {
  describeLab("a lock", () => {
    let lab: Lab;
    const programs = new Map<number, HostProgram>();

    // A host for each step, so that they go back at the same time.
    beforeAll(async () => {
      lab = await Lab.create({
        hosts: steps.map((step) => ({
          name: `step-${step}`,
          firewall,
          provision: `${foreignRules[firewall]}\n${interruptedTools}`,
        })),
      });
      for (const step of steps) {
        programs.set(step, await HostProgram.on(lab.host(`step-${step}`)));
      }
    });
    afterAll(() => lab?.destroy());

    test.each(cuts)(
      "that gets SIG$signal at any step leaves a host that was $before as it was, and nothing half done",
      async ({ signal, before }) => {
        const outcomes = await Promise.all(
          steps.map(async (step) => {
            const program = programs.get(step) as HostProgram;
            await program.reset();
            if (before === "locked") {
              await program.lockForGood();
            }
            const rules = await program.host.rules();
            await program.host.exec(`echo ${signal} ${step} >/run/cut; : >/run/calls`);
            const settings = { ...rulesetsFor(2222), SKIP_PREFLIGHT: "true", CONFIRM_WITHIN: "2" };
            const { code } = await program.lock(lockSettings(settings));
            const cut = (await program.host.exec("[ ! -e /run/cut ]", { check: false })).code === 0;
            await program.host.exec("rm -f /run/cut");
            await eventually(`it has come to rest after step ${step}`, () => isAtRest(program.host));
            const after = await program.host.rules();
            const same = after === rules ? "same" : `before:\n${rules}after:\n${after}`;
            const { state, rules: live } = await program.status();
            return { step, ended: cut ? code !== 0 : code === 0, same, state, live };
          }),
        );
        expect(outcomes).toEqual(
          steps.map((step) => ({
            step,
            ended: true,
            same: "same",
            state: before,
            live: before === "open" ? "none" : "matches",
          })),
        );
      },
    );

    const isAtRest = (host: Host): boolean => watchdogs(host).length === 0;
  });
});
