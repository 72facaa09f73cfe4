/**
 * What a plan would not show otherwise: connections and locals are not in it, and a script only word for word. A lockdown
 * remembers it, for what a hold remembers may be old; where memory follows, the hold, for a terraform_data that is replaced
 * would show all that it remembers.
 */
import { CONNECTION } from "../contract/connection";
import { REMEMBERED_SETTINGS } from "../contract/settings";
import type { Configuration } from "./configuration";
import { term, toTemplate } from "./values";

export function memoryForPlans(configuration: Configuration): Record<string, string> {
  const { common } = configuration;
  const { name: hostKey } = CONNECTION.hostKey;
  const pinned = common.has(hostKey) ? term(common.get(hostKey) ?? "") : configuration.termOf(hostKey);
  const own = REMEMBERED_SETTINGS.filter(({ name }) => !common.has(name));
  return {
    [hostKey]: toTemplate(pinned),
    ...Object.fromEntries(own.map(({ name }) => [name, toTemplate(configuration.termOf(name))])),
  };
}
