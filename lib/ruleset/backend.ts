/** What a backend has to know: how it writes a policy, and how what it wrote is read back. */
import type { BackendName, RulesetTextName } from "../contract/backends";
import type { Family } from "../policy/address";
import type { Format } from "../output/formats";
import type { Policy } from "../policy/policy";
import type { Grammar } from "./grammar";

export interface RulesetBackend {
  /** What the host program loads; the first has the name of the backend. */
  readonly texts: readonly RulesetText[];
  /** Whole files for people who load them by themselves. */
  readonly files: readonly NamedFormat[];
  /** Other backends whose texts a host with this one needs as well. */
  readonly needs: readonly BackendName[];
}

/** A text that `render` prints under this name. */
export interface NamedFormat extends Format<Policy> {
  readonly name: string;
}

export interface RulesetText extends NamedFormat {
  readonly name: RulesetTextName;
  /** The families that its rules are for. */
  readonly families: readonly Family[];
  /** One for each way in which it is written, such as one that enforces and one that observes. */
  readonly grammars: readonly Grammar[];
}
