/** What the traffic of a host was: use, noise, housekeeping, or what nobody can say. */
import { count } from "../output/text";
import type { Denied, Evidence } from "./evidence";
import { finding, type Finding, PROBE, RESOLVER_PORTS, type RuleName, type VerdictSettings } from "./verdict-rules";
import { ANNOUNCED_PORTS, ANNOUNCED_PROTOCOLS, ASKED_OF_ALL, TIME_PORTS } from "./verdict-rules";

/** What is known of the time in which a packet came. */
export interface Setting {
  readonly settings: VerdictSettings;
  readonly evidence: Evidence;
  /** Since when, in ISO, denied packets are known to be dropped without an answer, so that a client sends them again. */
  readonly dropsSince: string | null;
}

/** What was denied, and the rule that says what it is. */
export interface Judged extends Denied {
  readonly rule: RuleName;
}

type Classified = readonly [RuleName, Denied];

export function judgedTraffic(setting: Setting): readonly Judged[] {
  const { evidence, settings } = setting;
  const ignored = evidence.denied.filter((one) => isIgnored(one, settings));
  const rest = evidence.denied.filter((one) => !isIgnored(one, settings));
  const classified: readonly Classified[] = [
    ...ignored.map((one): Classified => ["ignored", one]),
    ...inbound(
      rest.filter(({ direction }) => direction === "in"),
      setting,
    ),
    ...rest
      .filter(({ direction }) => direction === "out")
      .map((one): Classified => [ruleOfOutbound(one, evidence), one]),
  ];
  return classified.map(([rule, one]) => ({ ...one, rule }));
}

const isIgnored = ({ peer, protocol, port }: Denied, { ignored }: VerdictSettings): boolean =>
  ignored.some(({ covers }) => covers(peer, protocol, port));

function inbound(entries: readonly Denied[], setting: Setting): readonly Classified[] {
  const byPeer = new Map<string, Denied[]>();
  for (const one of entries) {
    const own = byPeer.get(one.peer) ?? [];
    own.push(one);
    byPeer.set(one.peer, own);
  }
  const listened = listeningPorts(setting.evidence);
  return [...byPeer.values()].flatMap((own) => ofPeer(own, listened, setting));
}

/** Not those on which only the host itself could be a client. */
export function listeningPorts({ sockets, host }: Evidence): ReadonlySet<string> {
  const outside = sockets.listening.filter(({ address }) => !/^(127\.|::1(%|$)|::ffff:127\.)/.test(address));
  return new Set([`tcp ${host.port}`, ...outside.map(({ protocol, port }) => `${protocol} ${port}`)]);
}

function ofPeer(own: readonly Denied[], listened: ReadonlySet<string>, setting: Setting): readonly Classified[] {
  const { thresholds } = setting.settings;
  const hasListened = ({ protocol, port }: Denied): boolean => listened.has(`${protocol} ${port}`);
  const rest = own.filter(
    (one) => isProbe(one, setting.evidence) === undefined && announcement(one, hasListened(one)) === undefined,
  );
  const closed = rest.filter((one) => one.port !== null && !hasListened(one) && !isOfEarlier(one, setting.evidence));
  const isScanner = closed.length >= thresholds["scan-ports"];
  const cameBack = closed.length <= FEW_PORTS && hasReturned(closed, setting.settings);
  return own.map((one): Classified => {
    const wasProbed = isProbe(one, setting.evidence);
    if (wasProbed !== undefined) {
      return [wasProbed ? "probe" : "more-than-probed", one];
    }
    const isAnnouncement = announcement(one, hasListened(one)) !== undefined;
    if (isAnnouncement) {
      return ["announcement", one];
    }
    if (hasListened(one)) {
      return [isScanner && looksLike(closed, one) ? "scan" : ruleOfService(one, setting), one];
    }
    if (isOfEarlier(one, setting.evidence)) {
      return ["stray", one];
    }
    if (one.port === null && !/^icmp/.test(one.protocol)) {
      return ["protocol", one];
    }
    if (one.port !== null && isScanner) {
      return ["scan", one];
    }
    return [(one.port !== null && cameBack) || hasReturned([one], setting.settings) ? "return" : "attempt", one];
  });
}

/** A peer that tries more has no port of its own. */
const FEW_PORTS = 3;

function announcement({ protocol, port }: Denied, hasListened: boolean): true | undefined {
  const isAnnounced =
    ANNOUNCED_PROTOCOLS.has(protocol) ||
    (protocol === "udp" && port !== null && (ANNOUNCED_PORTS.has(port) || (ASKED_OF_ALL.has(port) && !hasListened)));
  return isAnnounced || undefined;
}

/** The other end of a connection that this host had begun before the first lock. */
function isOfEarlier({ peer, protocol, port }: Denied, { sockets }: Evidence): boolean {
  return sockets.connected.some(
    (one) => one.direction === "out" && one.protocol === protocol && one.peer === peer && one.port === port,
  );
}

const probesOf = ({ peer, protocol, port }: Denied, { probes }: Evidence): Evidence["probes"] =>
  probes.filter(({ from, ports }) => protocol === "tcp" && from === peer && port !== null && ports.includes(port));

/** No more packets than were announced, and none after the last of them. Undefined where none were. */
function isProbe(one: Denied, evidence: Evidence): boolean | undefined {
  const own = probesOf(one, evidence);
  const seen = Date.parse(one.last ?? "");
  const isThen = own.some(({ at }) => at !== null && Math.abs(seen - Date.parse(at)) <= PROBE.seconds * 1000);
  return own.length === 0 ? undefined : isThen && one.packets <= own.length * PROBE.packets;
}

/** Where nothing answers, TCP sends its SYN again; where something may have answered, one packet is a connection. */
function ruleOfService({ protocol, packets, first }: Denied, { dropsSince }: Setting): RuleName {
  const isDropped = dropsSince !== null && first !== null && first >= dropsSince;
  return protocol === "tcp" && packets === 1 && isDropped ? "single-syn" : "service";
}

function hasReturned(entries: readonly Denied[], { thresholds }: VerdictSettings): boolean {
  const packets = entries.reduce((sum, one) => sum + one.packets, 0);
  if (packets < thresholds["return-packets"]) {
    return false;
  }
  const [from, to] = spanOf(entries);
  return from === undefined || to === undefined || to - from >= thresholds["return-seconds"] * 1000;
}

/** In ms; undefined where a time is not known. */
function spanOf(entries: readonly Denied[]): readonly [number | undefined, number | undefined] {
  const firsts = entries.map(({ first }) => (first === null ? NaN : Date.parse(first)));
  const lasts = entries.map(({ last }) => (last === null ? NaN : Date.parse(last)));
  const [from, to] = [Math.min(...firsts), Math.max(...lasts)];
  return [Number.isNaN(from) ? undefined : from, Number.isNaN(to) ? undefined : to];
}

/** A scanner that also tries a port where something listened: within the time of its scan, and as often as a tenth of the others. */
function looksLike(scanned: readonly Denied[], one: Denied): boolean {
  const [from, to] = spanOf(scanned);
  const [first, last] = spanOf([one]);
  if (from === undefined || to === undefined || first === undefined || last === undefined) {
    return false;
  }
  const alike = scanned.filter(({ packets }) => packets >= one.packets).length;
  return first >= from - SCAN_MS && last <= to + SCAN_MS && alike >= Math.max(3, scanned.length / 10);
}

/** Before the first and behind the last of other ports. */
const SCAN_MS = 600_000;

function ruleOfOutbound(one: Denied, evidence: Evidence): RuleName {
  const { protocol, port, peer, last } = one;
  const baseline = Date.parse(evidence.host.baseline_at ?? "");
  const isAnswer = evidence.sockets.connected.some(
    (open) => open.direction === "in" && open.protocol === protocol && open.peer === peer && open.peerPort === port,
  );
  if (isAnswer && last !== null && Date.parse(last) - baseline <= ANSWER_MS) {
    return "stray";
  }
  if (ANNOUNCED_PROTOCOLS.has(protocol)) {
    return "announced";
  }
  if (port !== null && RESOLVER_PORTS.has(port)) {
    return "resolver";
  }
  if (protocol !== "udp" || port === null) {
    return "program";
  }
  return TIME_PORTS.has(port)
    ? "time"
    : ASKED_OF_ALL.has(port)
      ? "lease"
      : ANNOUNCED_PORTS.has(port)
        ? "announced"
        : "program";
}

/** TCP gives up within a quarter of an hour, or two where its settings are odd. */
const ANSWER_MS = 3_600_000;

/** Uses and doubts one by one, the latest first; of the rest a line for each rule. */
export function trafficFindings(judged: readonly Judged[], evidence: Evidence): readonly Finding[] {
  const groups = new Map<RuleName, Denied[]>();
  const each: Finding[] = [];
  for (const one of judged) {
    const { rule, packets, first, last } = one;
    const found = finding(rule, sentence(rule, one, evidence), { packets, first, last });
    if (found.kind === "use" || found.kind === "doubt") {
      each.push(found);
    } else {
      const own = groups.get(rule) ?? [];
      own.push(one);
      groups.set(rule, own);
    }
  }
  return [...each, ...[...groups].map(([rule, own]) => together(rule, own))];
}

function together(rule: RuleName, own: readonly Denied[]): Finding {
  const peers = new Set(own.map(({ peer }) => peer)).size;
  const ports = new Set(own.map(({ protocol, port }) => `${protocol} ${port}`)).size;
  const packets = own.reduce((sum, one) => sum + one.packets, 0);
  const text = `${count(packets, "packet")}, ${count(peers, "peer")}, ${count(ports, "port")}`;
  const firsts = own.map(({ first }) => first);
  const lasts = own.flatMap(({ last }) => last ?? []).sort();
  return finding(rule, text, {
    packets,
    first: firsts.includes(null) ? null : (firsts.sort()[0] ?? null),
    last: lasts.at(-1) ?? null,
  });
}

function sentence(rule: RuleName, { direction, protocol, peer, port, packets }: Denied, { sockets }: Evidence): string {
  const program = sockets.listening.find((one) => one.protocol === protocol && one.port === port)?.program;
  const what = `${protocol}${port === null ? "" : ` port ${port}`}`;
  const how = count(packets, "packet");
  if (direction === "out") {
    return `this host tried to reach ${peer}, ${what}: ${how}`;
  }
  const known = rule === "service" && program !== undefined && program !== null ? ` (${program})` : "";
  return `${peer} tried ${what}${known}: ${how}`;
}
