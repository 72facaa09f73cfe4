/**
 * The resource with one instance for each distinct ruleset, in which a plan shows it. The lockdowns have the texts from the same
 * local and not from the resource, on which each of them would then depend, and Terraform's graph with them: what was reviewed
 * is what is loaded, because their hash is in the plan of each lockdown, and the host loads no other.
 */
import type { TerraformLocal, TerraformResource } from "../framework/framework";
import { LOCALS, PARTS } from "../contract/names";
import { RULESET_TEXTS } from "../contract/backends";
import type { Ruleset as Entry } from "./configuration";
import { addressOf, type Context, reference } from "./context";
import { expression, type Term } from "./escape";
import { POLICY_SETTINGS } from "../policy/policy-settings";
import { allAreAddresses, knownAtApply } from "./known-at-apply";

/** In the entry of a ruleset: see known-at-apply.ts. */
const KNOWN_AT_APPLY = "known_at_apply";

export class Ruleset {
  public readonly resource: TerraformResource;
  private readonly entries: TerraformLocal;
  private readonly hashes: TerraformLocal;

  public constructor(private readonly context: Context) {
    this.entries = context.local(LOCALS.rulesets, "", () => {
      const { hasTokens } = this;
      return Object.fromEntries(context.configuration.rulesets.map((one) => [one.key, entryOf(one, hasTokens)]));
    });
    this.resource = context.track(PARTS.ruleset, "", {
      forEach: this.entries,
      contents: () => ({
        triggers: Object.fromEntries(RULESET_TEXTS.map((text) => [text, `\${each.value.${text}}`])),
        precondition: this.hasTokens ? allAreAddresses(`each.value.${KNOWN_AT_APPLY}`, "each.key") : undefined,
      }),
    });
    // Once for each ruleset, not for each host.
    this.hashes = context.local(LOCALS.rulesetHashes, "", () => this.hashOfEach());
  }

  // Terms of the ruleset of the host in whose resource they stand.

  public get hash(): Term {
    return expression(`${reference(this.hashes)}[each.value.ruleset]`);
  }

  /** By the names of the settings too. */
  public get texts(): Readonly<Record<string, Term>> {
    return Object.fromEntries(RULESET_TEXTS.map((name) => [name, this.ofRuleset(name)]));
  }

  /** What the host gets of the policy, by the names of the settings. */
  public get policy(): Readonly<Record<keyof typeof POLICY_SETTINGS, Term>> {
    return Object.fromEntries(Object.keys(POLICY_SETTINGS).map((name) => [name, this.ofRuleset(name)])) as Record<
      keyof typeof POLICY_SETTINGS,
      Term
    >;
  }

  private ofRuleset(name: string): Term {
    return expression(`${reference(this.entries)}[each.value.ruleset].${name}`);
  }

  /** Of the resource where it has a precondition, so that no host is locked before that was checked. */
  private hashOfEach(): string {
    const [rulesets, ruleset] = this.hasTokens
      ? [addressOf(this.resource), this.context.tracker.triggersOf("ruleset")]
      : [reference(this.entries), "ruleset"];
    const texts = RULESET_TEXTS.map((text) => `${ruleset}.${text}`).join(", ");
    return `\${{ for key, ruleset in ${rulesets} : key => sha256(join("", [${texts}])) }}`;
  }

  /** Where no ruleset has one, Terraform has nothing to check. */
  private get hasTokens(): boolean {
    return this.context.configuration.rulesets.some(({ policy }) => knownAtApply(policy).length > 0);
  }
}

/** A text that a host does not need is empty, so that all entries have the same form. */
function entryOf(ruleset: Entry, hasTokens: boolean): Record<string, unknown> {
  return {
    ...Object.fromEntries(RULESET_TEXTS.map((text) => [text, ruleset.texts[text] ?? ""])),
    ...Object.fromEntries(Object.entries(POLICY_SETTINGS).map(([name, valueOf]) => [name, valueOf(ruleset.policy)])),
    ...(hasTokens ? { [KNOWN_AT_APPLY]: knownAtApply(ruleset.policy) } : {}),
  };
}
