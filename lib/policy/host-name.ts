/** The address that Terraform dials: an IP address, a name (RFC 1123), or a token. */
import { isIP } from "node:net";
import { IPv6, parse as parseAddress } from "ipaddr.js";
import { Token } from "../framework/framework";
import { addressOfC } from "./address";
import { hostMessages } from "./host-messages";
import type { Problems } from "../input/problems";
import { plainText } from "../input/text";

const LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(\\.${LABEL})*$`);

/** In one form: IPv6 as in RFC 5952, names in lower case. `portProperty` is where a port that is part of it belongs. */
export function parseHostName(value: unknown, portProperty: string, problems: Problems): string | undefined {
  if (!plainText(value, problems)) {
    return undefined;
  }
  if (Token.isUnresolved(value)) {
    return value;
  }
  if (isIP(value) !== 0 && !value.includes("%")) {
    return parseAddress(value).toString();
  }
  const address = addressOfC(value);
  if (address !== undefined) {
    problems.add("", hostMessages.numbersOfC(value, address));
    return undefined;
  }
  if (NAME.test(value) && !/^[0-9.]+$/.test(value)) {
    return value.toLowerCase();
  }
  problems.add("", whatIsWrong(value, portProperty));
  return undefined;
}

/** In the form that all names of the same machine have: an IPv4 address may be written as IPv6 (`::ffff:192.0.2.1`). */
export function machineOf(hostName: string | undefined): string | undefined {
  if (hostName === undefined || isIP(hostName) === 0) {
    return hostName;
  }
  const address = parseAddress(hostName);
  return (address instanceof IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address).toString();
}

function whatIsWrong(value: string, portProperty: string): string {
  const parts = /^(?:ssh:\/\/)?(?:([^@/]+)@)?(\[[0-9a-fA-F:]+\]|[^:/@]+)(?::([0-9]+))?\/?$/.exec(value);
  const [, user, host, port] = parts ?? [];
  const address = host?.replace(/^\[|\]$/g, "");
  if (address !== undefined && address !== value && (isIP(address) !== 0 || NAME.test(address))) {
    const elsewhere = [
      ...(user === undefined ? [] : [`${portProperty.replace(/port$/, "user")}: ${user}`]),
      ...(port === undefined ? [] : [`${portProperty}: ${port}`]),
    ];
    return hostMessages.addressIsMore(value, address, elsewhere.join(" and ") || "nothing around it");
  }
  return hostMessages.badAddress(value);
}
