/**
 * A picture of who came when: a line for each peer from the first to the last time it was seen, from the lock until now. Places
 * along it are in per cent and all else in pixels, so that it is as wide as the page and its words stay readable.
 */
import type { Direction } from "./evidence";
import { html, type Markup } from "./markup";
import { DIRECTION_WORDS } from "./rows";
import type { HostUsage } from "./usage-report";

/** More would not be read; the table below has all. */
const MOST_LINES = 30;
const LINE = 34;
const AXIS = 22;
/** A long address and a number have to fit beside each other on a phone. */
const ABOUT = new Intl.NumberFormat("en", { notation: "compact" });

/** Begin and end, in ms. */
type Span = readonly [number, number];

interface Line {
  readonly label: string;
  readonly kind: Direction | "login";
  readonly spans: readonly Span[];
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
  const named = new Set(row.denied.map(({ direction }) => direction));
  const sums = row.totals.filter(({ direction }) => !named.has(direction));
  const seen = [...row.denied, ...sums.map((sum) => ({ ...sum, peer: "all together" }))];
  const groups = new Map<string, { kind: Direction; who: string; packets: number; span: Span }>();
  for (const { direction, peer, packets, first, last } of seen) {
    const [from, to] = [msOf(first ?? last), msOf(last ?? first)];
    if (from !== undefined && to !== undefined) {
      const key = `${direction} ${peer}`;
      const before = groups.get(key);
      const span = [Math.min(from, before?.span[0] ?? from), Math.max(to, before?.span[1] ?? to)] as const;
      groups.set(key, { kind: direction, who: peer, packets: packets + (before?.packets ?? 0), span });
    }
  }
  const peers = [...groups.values()]
    .sort((a, b) => b.span[1] - a.span[1])
    .map(({ kind, who, packets, span }): Line => {
      const number = packets < 100_000 ? packets : ABOUT.format(packets);
      return { label: `${DIRECTION_WORDS[kind]} ${who} · ${number}`, kind, spans: [span] };
    });
  return [...loginLines(row), ...peers];
}

/** The logins since the first lock. */
function loginLines({ logins, counted }: HostUsage): Line[] {
  const begin = msOf(counted) ?? 0;
  const times = logins.map(({ at }) => msOf(at)).filter((ms): ms is number => ms !== undefined && ms >= begin);
  const spans = [...new Set(times)].map((ms): Span => [ms, ms]);
  return times.length === 0 ? [] : [{ label: `logins over SSH · ${times.length}`, kind: "login", spans }];
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
