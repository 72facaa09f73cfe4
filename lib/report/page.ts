/**
 * The report as one page that needs nothing else: to read on a phone or a desk, to print, and to sign. It is well-formed XML
 * too, so that its form can be checked.
 */
import { html, type Markup } from "./markup";
import { messages } from "./messages";
import type { Denied } from "./parse";
import { DIRECTION_WORDS, type HostUsage, mannerOf, type UsageReport } from "./report";
import { PAGE_STYLE } from "./style";
import { count, end, known, nameOf } from "./table";
import { timelineOf } from "./timeline";

/** Rows of one table: a flood is not to make the page unreadable. */
const MOST_ROWS = 500;

export function toPage(report: UsageReport): string {
  const { hosts, at, asked, notAsked, disagree } = report;
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
        <header>
          <h1>Was it used?</h1>
          <p>
            ${count(hosts.length, "host")}, of which ${asked} could be asked and ${notAsked} could
            not${disagree === 0 ? "" : `; ${disagree} not as the state says`}, on ${at ?? "a day unknown"}. All times
            are UTC.
          </p>
        </header>
        ${table(
          "Overview",
          ["Host", "Address", "State", "Since", "In short"],
          hosts.map((row) => [
            nameOf(report, row),
            row.address ?? "unknown",
            row.state ?? "not asked",
            row.since ?? "",
            row.verdict,
          ]),
        )}${hosts.filter(({ backend }) => backend !== null).map((row) => section(report, row))}
        <section class="signature">
          <h2>Signature</h2>
          <p>I have read this report on ${count(hosts.length, "host")}.</p>
          <dl>
            <div>
              <dt>Name</dt>
              <dd></dd>
            </div>
            <div>
              <dt>Date</dt>
              <dd></dd>
            </div>
            <div>
              <dt>Signature</dt>
              <dd></dd>
            </div>
          </dl>
        </section>
      </body>
    </html> `;
  return `${page.text.replace(/ +$/gm, "").trimEnd()}\n`;
}

function section(report: UsageReport, row: HostUsage): Markup {
  const { baseline, denied, totals, sampled, logins } = row;
  const port = row.sshPort === null ? "unknown" : String(row.sshPort);
  return html`<section>
    <h2>${nameOf(report, row)}</h2>
    <p class="verdict">${row.verdict}</p>
    <dl class="facts">
      <div>
        <dt>Address</dt>
        <dd>${row.address ?? "unknown"}</dd>
      </div>
      <div>
        <dt>State</dt>
        <dd>${row.state ?? "unknown"}</dd>
      </div>
      <div>
        <dt>Since</dt>
        <dd>${row.since ?? "unknown"}</dd>
      </div>
      <div>
        <dt>Firewall</dt>
        <dd>${row.backend ?? "unknown"}, SSH on port ${port}</dd>
      </div>
    </dl>
    ${
      row.notes.length === 0
        ? []
        : html`<ul class="notes">
            ${row.notes.map((note) => html`<li>${note}</li> `)}
          </ul> `
    }${timelineOf(row) ?? []}${table(
      messages.deniedTitle(mannerOf(row.state, row), row.counted),
      ["Way", "Protocol", "Peer", "Port", "Packets", "First", "Last"],
      [
        ...totals.map((one) => [
          DIRECTION_WORDS[one.direction],
          "all",
          "",
          "",
          one.packets,
          known(one.first),
          known(one.last),
        ]),
        ...denied.map(ended),
      ],
    )}${
      sampled.length === 0
        ? []
        : table(
            messages.sampledTitle(),
            ["Way", "Protocol", "Peer", "Port", "Packets", "First", "Last"],
            sampled.map(ended),
          )
    }${table(
      `What listened when it was first locked${baseline.at === null ? "" : `, ${baseline.at}`}`,
      ["Protocol", "Address", "Program"],
      baseline.listening.map((one) => [one.protocol, end(one.address, one.port), one.program]),
    )}${table(
      "Who was connected then",
      ["Way", "Protocol", "Host", "Peer", "State", "Program"],
      baseline.connected.map((one) => [
        one.direction,
        one.protocol,
        end(one.address, one.port),
        end(one.peer, one.peerPort),
        one.state,
        one.program,
      ]),
    )}${table(
      "Logins over SSH",
      ["Time", "User", "From", "By"],
      logins.map((one) => [one.at ?? one.logged, one.user, one.from, one.by]),
    )}
  </section> `;
}

const ended = (one: Denied): readonly Cell[] => [
  DIRECTION_WORDS[one.direction],
  one.protocol,
  one.peer,
  one.port,
  one.packets,
  known(one.first),
  known(one.last),
];

type Cell = string | number | null;

/** On a narrow screen each row becomes a block, in which every value has its title before it. */
function table(title: string, head: readonly string[], rows: ReadonlyArray<readonly Cell[]>): Markup {
  if (rows.length === 0) {
    return html`<h3>${title}</h3>
      <p>Nothing.</p> `;
  }
  const shown = rows.slice(0, MOST_ROWS);
  const left = rows.length - shown.length;
  return html`<h3>${title}</h3>
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
              ${row.map((cell, index) => cellOf(head[index], cell))}
            </tr> `,
        )}
      </tbody>
    </table>
    ${left > 0 ? html`<p>And ${left} more, which --json lists.</p> ` : []}`;
}

/** The longest that is not broken: a time, an IPv4 address with its port. Seven such fit beside each other. */
const SHORT = 26;

function cellOf(title: string, cell: Cell): Markup {
  const text = String(cell ?? "");
  return html`<td data-title="${title}" class="${text.length <= SHORT ? "short" : "long"}">${text}</td>`;
}
