/** Values of options, checked; commander adds which option it is. */
import { existsSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { shown } from "../output/text";
import { parseDestination } from "../ssh/route";
import type { NamedHost } from "../state/named-hosts";

/** For an option that may be repeated. */
export const collect =
  <T>(parse: (value: string) => T) =>
  (value: string, before: readonly T[] = []): readonly T[] => [...before, parse(value)];

export const number =
  (min: number, max: number) =>
  (value: string): number => {
    if (!/^[0-9]{1,9}$/.test(value) || Number(value) < min || Number(value) > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return Number(value);
  };

export const ports = (value: string): readonly number[] =>
  value.split(",").map((text) => {
    if (!/^[1-9][0-9]{0,4}$/.test(text) || Number(text) > 65535) {
      throw new InvalidArgumentError("It must be ports from 1 to 65535, separated by commas.");
    }
    return Number(text);
  });

export function existingFile(value: string): string {
  if (!existsSync(value)) {
    throw new InvalidArgumentError(`${shown(value)} does not exist; name a file that does.`);
  }
  return value;
}

export function sshOption(value: string): string {
  if (!/^[A-Za-z0-9]+[= ]./.test(value)) {
    throw new InvalidArgumentError("It must be NAME=VALUE, as in ssh_config.");
  }
  return value;
}

export function namedHost(value: string): NamedHost {
  const destination = parseDestination(value);
  if (destination === undefined) {
    throw new InvalidArgumentError("It must be an address or name: [USER@]ADDRESS[:PORT].");
  }
  const { address, ...connection } = destination;
  return { key: address, address, claim: "absent", connection };
}
