/** What each verb costs on the host: its time beside a plain SSH login, the processes it starts, the bytes that are sent. */
import { type Host, type HostFirewall, Lab } from "../test/lab/lab";
import { startedBy } from "../test/lab/started";
import { lockScript } from "../test/e2e/support/lock-script";
import { Deployment, hostEntries } from "../test/e2e/support/deployment";
import { PROGRAM } from "./by-hand";
import { median, timed } from "./measure";
import { atMost, type Part, type Section, table } from "./part";

const RUNS = 21;
const FIREWALLS: readonly HostFirewall[] = ["nftables", "iptables-nft", "iptables-legacy"];
const VERBS = ["lock", "confirm", "unlock"] as const;

type Verb = (typeof VERBS)[number];
type Times = Record<Verb | "login", number>;

export const verbs: Part = {
  name: "host",
  about: "on the host: time of lock, confirm and unlock, processes started, bytes sent",
  needs: ["strace=strace"],
  run: measure,
};

async function measure(): Promise<Section> {
  const lab = await Lab.create({ hosts: FIREWALLS.map((firewall) => ({ name: firewall, firewall })) });
  try {
    const runs: Times[][] = lab.hosts.map(() => []);
    for (let run = 0; run < RUNS; run++) {
      for (const [index, host] of lab.hosts.entries()) {
        runs[index]?.push(await times(host));
      }
    }
    const medians = runs.map((of) => (name: Verb | "login") => median(of.map((one) => one[name])));
    const rows: string[][] = [];
    for (const [index, host] of lab.hosts.entries()) {
      const of = medians[index] as (name: Verb | "login") => number;
      const counts = await processes(host);
      const cells = VERBS.map(
        (verb) => `${(of(verb) * 1000).toFixed(0)} ms (${(of(verb) / of("login")).toFixed(2)}), ${counts[verb]}`,
      );
      rows.push([host.name, `${(of("login") * 1000).toFixed(0)} ms (1)`, ...cells, await bytes(lab, host)]);
    }
    return {
      title: "on the host",
      demands: lab.hosts.map((host, index) =>
        atMost(
          `lock takes at most 0.15 s on ${host.name}`,
          (medians[index] as (name: Verb) => number)("lock"),
          0.15,
          " s",
        ),
      ),
      lines: [
        `Time on the host without SSH, median of ${RUNS}, taken in turns, and as a multiple of a plain SSH login; then the processes`,
        "that a verb starts until it ends, without waits, and how many of them are other programs. Bytes: what goes to the host over the",
        "network in lock and confirm together, by Terraform, SSH included; and in a plain login.",
        "",
        ...table(["firewall", "`ssh HOST true`", ...VERBS, "bytes, lock and confirm (login)"], rows),
      ],
    };
  } finally {
    await lab.destroy();
  }
}

async function times(host: Host): Promise<Times> {
  const login = await timed(() => host.ssh("true"));
  const lock = lockScript(host);
  await host.exec("cat >/tmp/lock.sh", { input: lock.script });
  return {
    login,
    lock: await inside(host, "sh /tmp/lock.sh"),
    confirm: await inside(host, `${PROGRAM} ${lock.confirm}`),
    unlock: await inside(host, `${PROGRAM} unlock ${lock.owner}`),
  };
}

/** As long as the command takes on the host, without what it takes to get there, in seconds. */
async function inside(host: Host, command: string): Promise<number> {
  const { stdout } = await host.exec(`begin=$(date +%s%N); ${command} >&2; echo $(($(date +%s%N) - begin))`);
  return Number(stdout) / 1e9;
}

async function processes(host: Host): Promise<Record<Verb, string>> {
  const lock = lockScript(host);
  await host.exec("cat >/tmp/lock.sh", { input: lock.script });
  const started = async (command: string): Promise<string> => {
    const { processes, programs } = await startedBy(host, command);
    return `${processes} processes, ${programs} programs`;
  };
  return {
    lock: await started("sh /tmp/lock.sh"),
    confirm: await started(`${PROGRAM} ${lock.confirm}`),
    unlock: await started(`${PROGRAM} unlock ${lock.owner}`),
  };
}

async function bytes(lab: Lab, host: Host): Promise<string> {
  const before = await sentTo(lab, host);
  await host.ssh("true");
  const afterLogin = await sentTo(lab, host);
  const deployment = new Deployment(lab);
  await deployment.apply({ hosts: hostEntries(lab, [host]), persist: false });
  const afterLock = await sentTo(lab, host);
  await deployment.destroy();
  const kilobytes = (count: number): string => `${(count / 1000).toFixed(0)} kB`;
  return `${kilobytes(afterLock - afterLogin)} (${kilobytes(afterLogin - before)})`;
}

async function sentTo(lab: Lab, host: Host): Promise<number> {
  const { stdout } = await lab.controller.exec(["ip", "-json", "-stats", "link", "show", "dev", host.port]);
  const [link] = JSON.parse(stdout) as Array<{ stats64: { tx: { bytes: number } } }>;
  return link?.stats64.tx.bytes ?? 0;
}
