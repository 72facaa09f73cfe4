/**
 * A plan, as `terraform show -json` prints it. Of the document only what a review uses is read and checked; what is
 * unknown to us is left alone, but an unknown major format version is refused.
 */
import { constants } from "node:buffer";
import { isObject } from "../input/keys";
import { Node, UnreadableError } from "../input/json";
import { type Block, blocksIn, type HostNames, hostNamesIn } from "./plan-configuration";
import { planProblems } from "./plan-problems";

export interface Plan {
  /** One for each resource instance that Terraform looked at, also those that it leaves alone. */
  readonly changes: readonly Change[];
  /** What changed outside of Terraform since the last apply. */
  readonly drift: readonly Change[];
  /** What Terraform puts off to a later plan. */
  readonly deferred: readonly Change[];
  /** What the state held before, without data sources: also instances that a partial plan does not mention. */
  readonly prior: readonly Instance[];
  /** The configuration's resources, by `blockOf` of an instance. */
  readonly blocks: ReadonlyMap<string, Block>;
  /** What checks of the configuration found, as it is said there. */
  readonly checks: ReadonlyArray<{ readonly address: string; readonly problem: string }>;
  /** Planning failed half-way. */
  readonly errored: boolean;
  /**
   * Whether no other plan is needed after this one: false where it has targets, or something was put off. Undefined where the
   * plan does not say, as those of OpenTofu and of Terraform before 1.8.
   */
  readonly complete: boolean | undefined;
  /** Whether it has the configuration: what removes secrets from plans may remove all of it. */
  readonly configured: boolean;
  /** The hosts in the configuration. That of an earlier version of this package does not list them. */
  readonly hostNames: readonly HostNames[];
}

/** Where an instance is. */
export interface Place {
  readonly address: string;
  /** Empty for the root module. */
  readonly module: string;
  readonly type: string;
  readonly name: string;
  /** The key in `for_each`, or the number of `count` as text. */
  readonly index: string | undefined;
  /** Set for an object that was replaced earlier, and whose destruction failed. */
  readonly deposed: string | undefined;
}

export interface Instance extends Place {
  readonly object: PlanObject;
  readonly tainted: boolean;
}

export interface Change extends Place {
  /** The block that it had before it moved, if it did. */
  readonly previousAddress: string | undefined;
  /** Terraform's own words, such as `["delete", "create"]`. */
  readonly actions: readonly string[];
  /** Why, in Terraform's own words, such as `delete_because_each_key`. */
  readonly reason: string | undefined;
  readonly before: PlanObject | undefined;
  readonly after: PlanObject | undefined;
}

/** A value of a resource: known, or hidden from the reader for a reason. */
export type Value =
  | { readonly known: string }
  | { readonly hidden: "known after apply" }
  | { readonly hidden: "sensitive"; readonly secret: string };

/** The values of a resource instance on one side of a change. */
export class PlanObject {
  public constructor(
    private readonly values: Node,
    private readonly unknown: unknown,
    private readonly sensitive: unknown,
  ) {}

  /** The value there; undefined where there is none. What is no text is shown as JSON. */
  public get(...path: readonly string[]): Value | undefined {
    if (isMarked(this.unknown, path)) {
      return { hidden: "known after apply" };
    }
    const { value } = path.reduce((node, name) => node.at(name), this.values);
    if (value === undefined || value === null) {
      return undefined;
    }
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return isMarked(this.sensitive, path) ? { hidden: "sensitive", secret: text } : { known: text };
  }

  /** The names below a place, also those whose value is not known yet. */
  public namesAt(path: string): readonly string[] {
    const below = [this.values.at(path).value, isObject(this.unknown) ? this.unknown[path] : undefined];
    return [...new Set(below.filter(isObject).flatMap((one) => Object.keys(one)))];
  }
}

/** Terraform marks a value itself, or one that it is in. */
function isMarked(marks: unknown, path: readonly string[]): boolean {
  const [name, ...below] = path;
  const own = name !== undefined && isObject(marks) && Object.hasOwn(marks, name) ? marks[name] : undefined;
  return marks === true || (own !== undefined && isMarked(own, below));
}

export function same(a: Value | undefined, b: Value | undefined): boolean {
  if (a === undefined || b === undefined) {
    return a === b;
  }
  if ("known" in a && "known" in b) {
    return a.known === b.known;
  }
  return "secret" in a && "secret" in b && a.secret === b.secret;
}

export function known(value: Value | undefined): string | undefined {
  return value !== undefined && "known" in value ? value.known : undefined;
}

/** Throws UnreadableError, which says what to do. */
export function readPlan(bytes: Uint8Array): Plan {
  const document = new Node(parse(decode(bytes)));
  if (!isObject(document.value)) {
    throw new UnreadableError(planProblems.notAPlan());
  }
  if (!document.at("encrypted_data").isAbsent) {
    throw new UnreadableError(planProblems.isEncrypted());
  }
  checkVersion(document);
  if (document.at("resource_changes").isAbsent && document.at("planned_values").isAbsent) {
    throw new UnreadableError(document.at("values").isAbsent ? planProblems.notAPlan() : planProblems.isState());
  }
  return {
    changes: document.at("resource_changes").list().map(changeOf),
    drift: document.at("resource_drift").list().map(changeOf),
    deferred: document
      .at("deferred_changes")
      .list()
      .map((one) => changeOf(one.at("resource_change"))),
    prior: instancesIn(document.at("prior_state").at("values").at("root_module"), ""),
    blocks: new Map(blocksIn(document.at("configuration").at("root_module"), "")),
    checks: document.at("checks").list().flatMap(problemsOf),
    errored: document.at("errored").flag(),
    complete: document.at("complete").isAbsent ? undefined : document.at("complete").flag(),
    configured: !document.at("configuration").at("root_module").isAbsent,
    hostNames: hostNamesIn(document.at("configuration").at("root_module"), ""),
  };
}

/** PowerShell's `>` writes UTF-16. */
function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
    throw new UnreadableError(planProblems.isPlanFile());
  }
  // A text has no more characters than bytes.
  if (bytes.length > constants.MAX_STRING_LENGTH) {
    throw new UnreadableError(planProblems.tooLong());
  }
  return new TextDecoder(bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8").decode(bytes);
}

function parse(text: string): unknown {
  if (text.trim() === "") {
    throw new UnreadableError(planProblems.empty());
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    if (/^\{"@level":/.test(text)) {
      throw new UnreadableError(planProblems.isLog());
    }
    // Not what the parser says: it quotes the text, in which there may be secrets.
    const place = /line \d+ column \d+|position \d+/.exec((error as Error).message);
    throw new UnreadableError(planProblems.notJson(place?.[0]));
  }
}

function checkVersion(document: Node): void {
  const version = document.at("format_version");
  if (version.isAbsent) {
    throw new UnreadableError(planProblems.notAPlan());
  }
  const [, major] = /^([0-9]+)\.[0-9]+$/.exec(version.text()) ?? [];
  if (major !== "1") {
    throw new UnreadableError(planProblems.unknownVersion(version.text()));
  }
}

function placeOf(node: Node): Place {
  const index = node.at("index");
  return {
    address: node.at("address").text(),
    module: node.at("module_address").optionalText() ?? "",
    type: node.at("type").text(),
    name: node.at("name").text(),
    index: index.isAbsent ? undefined : typeof index.value === "number" ? String(index.value) : index.text(),
    deposed: node.at("deposed").optionalText(),
  };
}

function changeOf(node: Node): Change {
  const change = node.at("change");
  const side = (name: "before" | "after", unknown: unknown): PlanObject | undefined =>
    change.at(name).isAbsent && !isObject(unknown)
      ? undefined
      : new PlanObject(change.at(name), unknown, change.at(`${name}_sensitive`).value);
  const actions = change.at("actions");
  return {
    ...placeOf(node),
    previousAddress: node.at("previous_address").optionalText(),
    actions: actions.isAbsent ? actions.refuse("a list") : actions.list().map((one) => one.text()),
    reason: node.at("action_reason").optionalText(),
    before: side("before", undefined),
    after: side("after", change.at("after").isAbsent ? undefined : change.at("after_unknown").value),
  };
}

function problemsOf(check: Node): Plan["checks"] {
  const address = check.at("address").at("to_display").optionalText() ?? "";
  const problems = check
    .at("instances")
    .list()
    .flatMap((one) => one.at("problems").list());
  return problems.map((one) => ({ address, problem: one.at("message").optionalText() ?? "" }));
}

function instancesIn(module: Node, address: string): Instance[] {
  const own = module
    .at("resources")
    .list()
    .filter((node) => node.at("mode").optionalText() !== "data")
    .map((node) => ({
      ...placeOf(node),
      module: address,
      deposed: node.at("deposed_key").optionalText(),
      object: new PlanObject(node.at("values"), undefined, node.at("sensitive_values").value),
      tainted: node.at("tainted").flag(),
    }));
  const below = module.at("child_modules").list();
  return [...own, ...below.flatMap((child) => instancesIn(child, child.at("address").text()))];
}
