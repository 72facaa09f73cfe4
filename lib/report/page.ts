/**
 * The report as one page that needs nothing else: to read on a phone or a desk, to print, and to sign. It is well-formed XML
 * too, so that its form can be checked.
 */
import { count, escapeInvisible } from "../output/text";
import { html, type Markup } from "./markup";
import { briefly, countsOf, worstFirst } from "./order";
import {
  connectedRows,
  deniedRow,
  findingRow,
  firstOf,
  folded,
  HEADS,
  listenerRow,
  loginRow,
  nameOf,
  type Row,
  totalRow,
} from "./rows";
import { judgedOf, titles } from "./sentences";
import { PAGE_STYLE } from "./style";
import { timelineOf } from "./timeline";
import { handlingOf, type HostUsage, type UsageReport } from "./usage-report";

/** Rows of one table: a flood is not to make the page unreadable. */
const MOST_ROWS = 500;

export function toPage(report: UsageReport): string {
  const { hosts, at } = report;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>Was it used? ${count(hosts.length, "host")}, ${at ?? ""}</title>
        <style>
          ${PAGE_STYLE}
        </style>
      </head>
      <body>
        ${overview(report)}${worstFirst(hosts)
          .filter(({ backend }) => backend !== null)
          .map((row) => section(report, row))}
        ${signature(hosts.length)}
      </body>
    </html> `;
  return `${page.text.replace(/ +$/gm, "").trimEnd()}\n`;
}

function overview(report: UsageReport): Markup {
  const { hosts, at, asked, notAsked, disagree } = report;
  const rows = worstFirst(hosts).map((row) => [
    row.verdict,
    nameOf(report, row),
    row.address ?? "unknown",
    row.state ?? "not asked",
    row.quietSince ?? "",
    briefly(row),
  ]);
  return html`<header>
      <h1>Was it used?</h1>
      <p>
        ${count(asked + notAsked, "host")} (${countsOf(report)}), of which ${asked} could be asked and ${notAsked} could
        not${disagree === 0 ? "" : `; ${disagree} not matching the state`}, on ${at ?? "an unknown day"}. All times are
        UTC.${judgedOf(report)}
      </p>
    </header>
    ${table("Overview", ["Verdict", "Host", "Address", "State", "Quiet since", "In short"], rows)}${remedies(report)}`;
}

/** Each text once, with the hosts that it is about and their commands. */
function remedies(report: UsageReport): readonly Markup[] {
  const texts = [...new Set(report.hosts.flatMap(({ remedy }) => remedy?.text ?? []))];
  return texts.map((text) => {
    const rows = report.hosts.filter(({ remedy }) => remedy?.text === text);
    const commands = rows.flatMap(({ remedy }) =>
      remedy?.command === undefined ? [] : [html`<li><code>${escapeInvisible(remedy.command)}</code></li> `],
    );
    return html`<h3>What to do about ${rows.map((row) => nameOf(report, row)).join(", ")}</h3>
      <p>${text}</p>
      ${
        commands.length === 0
          ? []
          : html`<ul class="notes">
              ${commands}
            </ul> `
      }`;
  });
}

const signature = (hosts: number): Markup =>
  html`<section class="signature">
    <h2>Signature</h2>
    <p>I have read this report on ${count(hosts, "host")}.</p>
    <dl>${["Name", "Date", "Signature"].map((title) => fact(title, ""))}</dl>
  </section>`;

const fact = (title: string, value: string): Markup =>
  html`<div>
    <dt>${title}</dt>
    <dd>${value}</dd>
  </div> `;

function section(report: UsageReport, row: HostUsage): Markup {
  const notes = html`<ul class="notes">
    ${row.notes.map((note) => html`<li>${note}</li> `)}
  </ul> `;
  return html`<section>
    <h2>${nameOf(report, row)}</h2>
    <p class="verdict ${row.verdict}">${row.verdict}</p>
    <ul class="reasons">
      ${row.reasons.map((reason) => html`<li>${reason}</li> `)}
    </ul>
    <p>${row.summary}</p>
    <dl class="facts">
      ${fact("Address", row.address ?? "unknown")}${fact("State", row.state ?? "unknown")}${fact("Watched since", row.since ?? "unknown")}${fact("Quiet since", row.quietSince ?? "unknown")}${fact("Last use", row.lastUse ?? "none known")}${fact("Firewall", `${row.backend ?? "unknown"}, SSH on port ${row.sshPort ?? "unknown"}`)}
    </dl>
    ${row.notes.length === 0 ? [] : notes}${timelineOf(row) ?? []}${tablesOf(row)}
  </section> `;
}

function tablesOf(row: HostUsage): readonly Markup[] {
  const { baseline, totals, sampled, logins } = row;
  const { shown, others } = folded(row);
  return [
    table(titles.denied(handlingOf(row.state, row), row.counted), HEADS.denied, [
      ...totals.map(totalRow),
      ...shown.map(deniedRow),
    ]),
    ...(others.length === 0
      ? []
      : [
          details(
            `Noise, housekeeping and the like: ${count(others.length, "row")}`,
            HEADS.denied,
            others.map(deniedRow),
          ),
        ]),
    details("What led to the verdict", HEADS.findings, row.findings.map(findingRow)),
    ...(sampled.length === 0 ? [] : [table(titles.sampled, HEADS.denied, sampled.map(deniedRow))]),
    table(
      `What listened when it was ${firstOf(row)}`,
      ["Protocol", "Address", "Program"],
      baseline.listening.map(listenerRow),
    ),
    table(
      "Who was connected then",
      ["Way", "Protocol", "Host", "Peer", "State", "Program"],
      connectedRows(baseline.connected),
    ),
    table("Logins over SSH", HEADS.logins, logins.map(loginRow)),
  ];
}

/** Folded away: unfolded by a click. */
const details = (title: string, head: Row, rows: readonly Row[]): Markup =>
  html`<details>
    <summary>${title}</summary>
    ${table("", head, rows)}
  </details> `;

/** On a narrow screen each row becomes a block, in which every value has its title before it. */
function table(title: string, head: Row, rows: readonly Row[]): Markup {
  if (rows.length === 0) {
    return html`<h3>${title}</h3>
      <p>Nothing.</p> `;
  }
  const shown = rows.slice(0, MOST_ROWS);
  const left = rows.length - shown.length;
  return html`${title === "" ? "" : html`<h3>${title}</h3>`}
    <table>
      <thead>
        <tr>
          ${head.map((word) => html`<th>${word}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${shown.map(
          (row) =>
            html`<tr>
              ${row.map((cell, index) => cellOf(head[index] ?? "", cell))}
            </tr> `,
        )}
      </tbody>
    </table>
    ${left > 0 ? html`<p>And ${left} more, which --json lists.</p> ` : []}`;
}

/** The longest that is not broken: a time, an IPv4 address with its port. Seven such fit beside each other. */
const SHORT = 26;

const cellOf = (title: string, cell: string): Markup =>
  html`<td data-title="${title}" class="${cell.length <= SHORT ? "short" : "long"}">${cell}</td>`;
