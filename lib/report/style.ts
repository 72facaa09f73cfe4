/** How the page looks: on a phone, on a desk, on paper. */
export const PAGE_STYLE = `:root { color-scheme: light; --line: #d5d9de; --soft: #5b6570; }
* { box-sizing: border-box; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; font: 16px/1.5 system-ui, sans-serif; color: #1b1f23; background: #fff; overflow-wrap: anywhere; }
h1 { margin: 0 0 0.25rem; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 0 0 0.5rem; font-size: 1.375rem; line-height: 1.25; }
h3 { margin: 1.5rem 0 0.5rem; font-size: 1rem; }
p { margin: 0.25rem 0; }
section { margin-top: 2.5rem; padding-top: 1.5rem; border-top: 2px solid #1b1f23; }
.verdict { font-size: 1.125rem; font-weight: 600; }
.verdict.used { color: #b42318; }
.verdict.unused { color: #1a6b2f; }
.reasons { margin: 0.25rem 0 0.75rem; padding-left: 1.25rem; }
details { margin: 1.5rem 0 0.5rem; }
summary { font-weight: 600; cursor: pointer; }
.notes { margin: 0.75rem 0; padding-left: 1.25rem; color: var(--soft); font-size: 0.9375rem; }
.facts { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; margin: 0.75rem 0; }
dt { color: var(--soft); font-size: 0.8125rem; }
dd { margin: 0; }
table { width: 100%; border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
th { text-align: left; white-space: nowrap; color: var(--soft); font-weight: 600; }
th, td { padding: 0.3rem 0.75rem 0.3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.short { white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
figure { margin: 1.25rem 0; }
figcaption { color: var(--soft); font-size: 0.8125rem; }
svg { display: block; overflow: hidden; }
svg text { font: 13px system-ui, sans-serif; fill: #1b1f23; }
svg text.axis { fill: var(--soft); font-size: 12px; }
svg text.end { text-anchor: end; }
line.axis { stroke: var(--soft); stroke-width: 1; }
line.rest { stroke: var(--line); stroke-width: 1; }
line.seen { stroke-width: 5; stroke-linecap: round; }
.in line.seen { stroke: #b42318; }
.in circle { fill: #b42318; }
.out line.seen { stroke: #9a5b00; }
.out circle { fill: #9a5b00; }
.forward line.seen { stroke: #6941c6; }
.forward circle { fill: #6941c6; }
.login line.seen { stroke: #175cd3; }
.login circle { fill: #175cd3; }
.signature dl { display: grid; grid-template-columns: 2fr 1fr 2fr; gap: 1.5rem; margin: 3rem 0 1rem; }
.signature dl div { display: flex; flex-direction: column-reverse; }
.signature dd { height: 3rem; border-bottom: 1px solid #1b1f23; }
@media screen and (max-width: 60rem) {
  table, tbody, tr, td { display: block; }
  thead { display: none; }
  tr { padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  td { display: grid; grid-template-columns: 5.5rem 1fr; gap: 0.5rem; padding: 0; border: 0; }
  td:empty { display: none; }
  td::before { content: attr(data-title); color: var(--soft); }
  .signature dl { grid-template-columns: 1fr; margin-top: 1rem; }
}
@media print {
  @page { margin: 15mm; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  table { font-size: 8.5pt; }
  section { break-before: page; margin-top: 0; padding-top: 0; border-top: 0; }
  details:not([open]) { display: none; }
  .signature { break-before: auto; break-inside: avoid; margin-top: 2rem; }
  h2, h3 { break-after: avoid; }
  tr, figure, g { break-inside: avoid; }
  thead { display: table-header-group; }
  svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
