/** A review as annotations of GitHub Actions: what is dangerous as errors, the verdict as a notice. */
import { annotation } from "../output/github";
import { DANGERS } from "./dangers";
import { verdictOf } from "./markdown";
import type { Review } from "./review";
import { plain } from "./text";

/** GitHub shows no more than ten errors of a step; those of one danger are one. */
export function toAnnotations(review: Review, name: string | undefined): string {
  const title = `SSH-only firewall${name === undefined ? "" : ` ${name}`}`;
  const dangers = review.dangers.map(({ kind, findings }) => {
    const { title: what, meaning } = DANGERS[kind];
    const found = findings.map(({ host, detail }) => `${host === undefined ? "" : `${host}: `}${plain(detail)}`);
    return annotation("error", { title: `${title}: ${kind}` }, [`${what}. ${meaning}`, ...found].join("\n"));
  });
  return [...dangers, annotation(dangers.length > 0 ? "warning" : "notice", { title }, verdictOf(review))].join("");
}
