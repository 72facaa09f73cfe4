/** What tests of reviews share: plans that the real Terraform made, and what is said of them. */
import { PROGRAM_LOCALS } from "../../../lib/contract/names";
import type { TerraformStack } from "cdktf";
import { withoutUndefined } from "../../support/required";
import { type HostProps, SshOnlyFirewall, type SshOnlyFirewallProps } from "../../../lib/index";
import { hostProgramVersion, launcher } from "../../../lib/host/program";
import type { DangerKind } from "../../../lib/review/dangers";
import { LONGEST_COMMENT, toMarkdown } from "../../../lib/review/markdown";
import { readPlan } from "../../../lib/review/plan";
import { type Review, reviewPlan } from "../../../lib/review/review";
import { plain } from "../../../lib/review/text";
import { brokenIn } from "../../review/support/rendered";
import { describeWith } from "../../terraform/support/real-tools";
import { type Configuration, type Planned, Project } from "./plan-project";

export const TRACKERS = ["null_resource", "terraform_data"] as const;
export const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxhYmxhYmxhYmxhYmxhYmxhYmxhYmxhYmxhYmxhYmxh";
export const allowFrom = ["192.0.2.0/24", "2001:db8:1::/48"];
export const connection = { hostKey: HOST_KEY };
export const PROGRAM = "0123456789ab";

/** Hosts web-1, web-2, … at addresses of their own. */
export function hosts(count: number, digits = 1): Record<string, HostProps> {
  const entries = Array.from({ length: count }, (_, index): [string, HostProps] => [
    `web-${String(index + 1).padStart(digits, "0")}`,
    { address: `10.0.${Math.floor(index / 250)}.${(index % 250) + 1}` },
  ]);
  return Object.fromEntries(entries);
}

export interface Reviewed extends Review {
  readonly markdown: string;
  readonly planned: Planned;
}

export function reviewed(planned: Planned): Reviewed {
  const json = planned.json.replaceAll(hostProgramVersion(), PROGRAM);
  const review = reviewPlan(readPlan(Buffer.from(json)), {
    uploads: { launchers: [launcher(), `\${local.${PROGRAM_LOCALS.launcher}}`], version: PROGRAM },
  });
  const markdown = toMarkdown(review, { knownProgram: PROGRAM });
  expect(markdown.length).toBeLessThanOrEqual(LONGEST_COMMENT);
  expect(brokenIn(markdown)).toEqual([]);
  return { ...review, markdown, planned };
}

export const kinds = ({ dangers }: Review): DangerKind[] => dangers.map(({ kind }) => kind);
export const outcomes = (review: Review): Record<string, string> =>
  Object.fromEntries(review.hosts.map(({ name, outcome }) => [name, outcome]));
export const details = (review: Review, kind: DangerKind): string[] =>
  review.dangers
    .filter((danger) => danger.kind === kind)
    .flatMap(({ findings }) => findings.map(({ host, detail }) => `${host ?? "-"}: ${plain(detail)}`));

/** What goes over the usual properties; `allowFrom: undefined` leaves it out. */
type FirewallProps = Omit<SshOnlyFirewallProps, "allowFrom"> & {
  readonly allowFrom?: SshOnlyFirewallProps["allowFrom"] | undefined;
};

/** What a group of such tests is given; its projects are removed with it. */
export interface Tools {
  readonly project: (tracker?: (typeof TRACKERS)[number]) => Promise<Project>;
  readonly firewall: (made: Project, props: FirewallProps, others?: (stack: TerraformStack) => void) => Configuration;
  /** The plan of going from one to the other; of a first deploy where there is nothing before. */
  readonly change: (
    before: FirewallProps | undefined,
    after: FirewallProps,
    ...args: readonly string[]
  ) => Promise<Reviewed>;
}

export function describeReviews(name: string, tests: (tools: Tools) => void): void {
  jest.setTimeout(300_000);
  describeWith(name, ["terraform"], () => {
    const projects: Project[] = [];
    afterAll(() => projects.forEach((project) => project.remove()));

    async function project(tracker: (typeof TRACKERS)[number] = "terraform_data"): Promise<Project> {
      const made = new Project();
      projects.push(made);
      return tracker === "null_resource" ? made.withNullProvider() : made;
    }

    const firewall = (made: Project, props: FirewallProps, others?: (stack: TerraformStack) => void): Configuration =>
      made.configuration((stack) => {
        const usual = { tracker: "terraform_data", allowFrom, connection } as const;
        new SshOnlyFirewall(stack, "fleet", withoutUndefined({ ...usual, ...props }));
        others?.(stack);
      });

    async function change(
      before: FirewallProps | undefined,
      after: FirewallProps,
      ...args: readonly string[]
    ): Promise<Reviewed> {
      const made = await project(after.tracker);
      if (before !== undefined) {
        await made.apply(firewall(made, { ...before, tracker: after.tracker ?? "terraform_data" }));
      }
      return reviewed(await made.plan(firewall(made, after), ...args));
    }

    tests({ project, firewall, change });
  });
}
