/**
 * A picture of who came when: a line for each peer from the first to the last time it was seen, from the lock until now. Places
 * along it are in per cent and all else in pixels, so that it is as wide as the page and its words stay readable.
 */
import { html, type Markup } from "./markup";
import { type HostUsage, DIRECTION_WORDS } from "./report";

/** More would not be read; the table below has all. */
const MOST_LINES = 30;
const LINE = 34;
const AXIS = 22;
/** A long address and a number have to fit beside each other on a phone. */
const ABOUT = new Intl.NumberFormat("en", { notation: "compact" });

interface Line {
  readonly label: string;
  readonly kind: "in" | "out" | "forward" | "login";
  /** Begin and end, in ms. */
  readonly spans: ReadonlyArray<readonly [number, number]>;
}

export function timelineOf(row: HostUsage): Markup | undefined {
  const [begin, now] = [msOf(row.counted), msOf(row.now)];
  if (begin === undefined || now === undefined || now <= begin) {
    return undefined;
  }
  const place = (ms: number): string => {
    const share = Math.min(1, Math.max(0, (ms - begin) / (now - begin)));
    return `${(1 + 98 * share).toFixed(2)}%`;
  };
  const all = linesOf(row);
  const lines = all.slice(0, MOST_LINES);
  const height = AXIS + LINE * lines.length + 6;
  const left = all.length - lines.length;
  return html`<figure>
    <svg role="img" aria-label="Who was seen when" width="100%" height="${height}">
      <text x="0" y="12" class="axis">${(row.counted ?? "").slice(0, 10)}</text>
      <text x="100%" y="12" class="axis end">${(row.now ?? "").slice(0, 10)}</text>
      <line x1="1%" x2="99%" y1="${AXIS - 4}" y2="${AXIS - 4}" class="axis" />
      ${lines.map((line, index) => drawn(line, AXIS + LINE * index, place))}
    </svg>
    <figcaption>
      ${lines.length === 0 ? "Nobody was seen in between." : "From first to last time seen, with the number of packets."}${left > 0 ? ` ${left} more are in the table.` : ""}
    </figcaption>
  </figure> `;
}

function linesOf(row: HostUsage): Line[] {
  const groups = new Map<string, Line & { readonly packets: number; readonly end: number }>();
  const add = (
    kind: "in" | "out" | "forward",
    who: string,
    packets: number,
    first: string | null,
    last: string | null,
  ): void => {
    const [from, to] = [msOf(first ?? last), msOf(last ?? first)];
    if (from === undefined || to === undefined) {
      return;
    }
    const key = `${kind} ${who}`;
    const before = groups.get(key);
    const span = [Math.min(from, before?.spans[0][0] ?? from), Math.max(to, before?.spans[0][1] ?? to)] as const;
    const sum = packets + (before?.packets ?? 0);
    const label = `${DIRECTION_WORDS[kind]} ${who} · ${sum < 100_000 ? sum : ABOUT.format(sum)}`;
    groups.set(key, { label, kind, spans: [span], packets: sum, end: span[1] });
  };
  row.denied.forEach((one) => add(one.direction, one.peer, one.packets, one.first, one.last));
  const named = new Set(row.denied.map(({ direction }) => direction));
  row.totals
    .filter(({ direction }) => !named.has(direction))
    .forEach((one) => add(one.direction, "all together", one.packets, one.first, one.last));
  const begin = msOf(row.counted) ?? 0;
  const logins = row.logins.map(({ at }) => msOf(at)).filter((ms): ms is number => ms !== undefined && ms >= begin);
  const login: Line = {
    label: `logins over SSH · ${logins.length}`,
    kind: "login",
    spans: [...new Set(logins)].map((ms) => [ms, ms] as const),
  };
  return [...(logins.length > 0 ? [login] : []), ...[...groups.values()].sort((a, b) => b.end - a.end)];
}

function drawn({ label, kind, spans }: Line, top: number, place: (ms: number) => string): Markup {
  const middle = top + 24;
  return html`<g class="${kind}">
    <text x="0" y="${top + 13}">${label}</text>
    <line x1="1%" x2="99%" y1="${middle}" y2="${middle}" class="rest" />
    ${spans.map(
      ([from, to]) =>
        html`<line x1="${place(from)}" x2="${place(to)}" y1="${middle}" y2="${middle}" class="seen" />
          <circle
            cx="${place(from)}"
            cy="${middle}"
            r="3.5"
          />${to > from ? html`<circle cx="${place(to)}" cy="${middle}" r="3.5" />` : ""} `,
    )}</g
  > `;
}

function msOf(time: string | null): number | undefined {
  return time === null ? undefined : Date.parse(time);
}
