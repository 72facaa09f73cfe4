/** What writing the configuration costs: time and memory of the app, a process of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostsOf } from "./fleet";
import { FORM_NAMES, type Form, Project } from "./forms";
import { type Cost, median } from "./measure";
import { atMost, type Part, type Section, shown, table } from "./part";

const SIZES = [10, 100, 1000, 3000, 10_000];
const FORMS: readonly Form[] = ["ours", "naive", "fromMap"];
const RUNS = 3;

export const synth: Part = {
  name: "synth",
  about: "time and memory of the app that writes the configuration, by number of hosts",
  run: () => Promise.resolve(measure()),
};

function measure(): Section {
  const folder = mkdtempSync(join(tmpdir(), "bench-synth-"));
  try {
    const costs = new Map<string, Cost & { bytes: number }>();
    const rows = SIZES.map((size) => {
      const runs = new Map<Form, Cost[]>(FORMS.map((form) => [form, []]));
      const projects = FORMS.map((form) => new Project(form, join(folder, `${form}-${size}`), "null_resource"));
      for (let run = 0; run < RUNS; run++) {
        projects.forEach((project) => runs.get(project.form)?.push(project.synth(hostsOf(size)) as Cost));
      }
      for (const { form, bytes } of projects) {
        const all = runs.get(form) as Cost[];
        costs.set(`${form} ${size}`, {
          seconds: median(all.map(({ seconds }) => seconds)),
          megabytes: median(all.map(({ megabytes }) => megabytes)),
          bytes,
        });
      }
      const ours = costs.get(`ours ${size}`) as Cost;
      return [
        size.toLocaleString("en"),
        ...FORMS.map((form) => {
          const { seconds, megabytes, bytes } = costs.get(`${form} ${size}`) as Cost & { bytes: number };
          const ratio = form === "ours" ? "" : ` (${shown(seconds / ours.seconds)})`;
          return `${seconds.toFixed(2)} s${ratio}, ${megabytes.toFixed(0)} MB, ${shown(bytes / 1e6)} MB`;
        }),
      ];
    });
    const large = costs.get("ours 10000") as Cost;
    const small = costs.get("ours 1000") as Cost;
    return {
      title: "writing the configuration",
      demands: [
        atMost("the app takes at most 2 s for 10,000 hosts", large.seconds, 2, " s"),
        atMost("and at most 300 MB", large.megabytes, 300, " MB"),
        atMost("and at most 12 times as long as for 1,000", large.seconds / small.seconds, 12, " times"),
        atMost("in at most 3 times the memory", large.megabytes / small.megabytes, 3, " times"),
      ],
      lines: [
        `The app as a process of its own, from its start to its end: time (as a multiple of ours), peak memory, size of the`,
        `configuration. Medians of ${RUNS}, taken in turns.`,
        "",
        ...table(["hosts", ...FORMS.map((form) => FORM_NAMES[form])], rows),
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
