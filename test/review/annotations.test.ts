import { toAnnotations } from "../../lib/review/annotations";
import type { Review } from "../../lib/review/review";

const review = (dangers: unknown): Review =>
  ({ dangers, hosts: [], errored: false, changesNothing: false }) as unknown as Review;

test("each danger is one error with all its hosts, on one line that GitHub reads as it was meant", () => {
  const findings = [
    { host: "web-1", detail: ["100%::"] },
    { host: "web-2", detail: ["gone"] },
  ];
  const lines = toAnnotations(review([{ kind: "opened", findings }]), "fleet-0").split("\n");
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^::error title=SSH-only firewall fleet-0%3A opened::hosts that will be opened\. /);
  expect(lines[0]).toMatch(/%0Aweb-1: 100%25::%0Aweb-2: gone$/);
  expect(lines[1]).toMatch(/^::warning title=SSH-only firewall fleet-0::Dangerous: read what is listed first\./);
});

test("without a danger there is the verdict alone", () => {
  expect(toAnnotations(review([]), undefined)).toBe(
    "::notice title=SSH-only firewall::Nothing to do. No host is in this plan.\n",
  );
});
