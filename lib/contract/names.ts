/** What resources of a firewall are called: `fleet_hold`, and in shards and waves `fleet_lockdown_wave_1_64_07`. */

/** The firewall and the part that a name stands for; undefined where it is none of ours. */
export function namedPart(name: string): { readonly firewall: string; readonly part: string } | undefined {
  const { firewall, part } =
    /^(?<firewall>.*)_(?<part>hold|lockdown|ruleset)(?:_wave_[0-9]+)?(?:_[0-9]+_[0-9]+)?$/s.exec(name)?.groups ?? {};
  return firewall === undefined || part === undefined ? undefined : { firewall, part };
}
