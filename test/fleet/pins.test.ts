/** Keys written into the text of a fleet file. */
import { parseFleet } from "../../lib/fleet/fleet-file";
import { withPins } from "../../lib/fleet/pins";
import { HOST_KEY, OTHER_HOST_KEY } from "../construct/support/configuration";

const keysFor = (...hosts: string[]): Map<string, string> => new Map(hosts.map((host) => [host, HOST_KEY]));
const keysIn = (text: string): Record<string, string | undefined> =>
  Object.fromEntries((parseFleet(text).fleet?.firewall.hosts ?? []).map((host) => [host.key, host.connection.hostKey]));

const HOSTILE = `# a fleet, with everything   that people do
allowFrom: [ 192.0.2.0/24,   198.51.100.7 ]   # two spaces stay
connection: &shared { user: ops,   agent: true }

hosts:
  plain:   192.0.2.1      # an address alone
  "quoted": '192.0.2.2'   # in quotes
  block:
    # above the address
    address: 192.0.2.3    # behind it
    sshPort: 2222

    # at the end
  flow: { address: 192.0.2.4, connection: { user: root, }, }  # a comma too much
  has:
    address: 192.0.2.5
    connection:
      user: admin # who
      port: 2200
  1.10: 192.0.2.6
  old: { address: 192.0.2.7, connection: { hostKey: "${OTHER_HOST_KEY}", user: root } }
  ? odd
  : address: 192.0.2.8
  template: &template
    address: 192.0.2.9
    connection: { <<: *shared, port: 22 }
  copy:
    <<: *template
    address: 192.0.2.10
  last: 192.0.2.11`;

const EVERY = ["plain", "quoted", "block", "flow", "has", "1.10", "old", "last"];

describe("keys in a hostile file", () => {
  test("are written, and all else stays, byte for byte", () => {
    const pins = withPins(HOSTILE, keysFor(...EVERY, "odd", "template", "copy"));
    // What others share would change them too, and a "? key" is nobody's layout.
    expect(pins.byHand).toEqual(["odd", "template", "copy"]);
    for (const host of pins.written) {
      expect(keysIn(pins.text)[host]).toBe(HOST_KEY);
    }
    expect([...pins.written].sort()).toEqual([...EVERY].sort());
    // Without what was written, it is the same text.
    const without = pins.text
      .replace(/\n +connection:\n +hostKey: ssh-\S+ \S+/g, "")
      .replace(/\n +hostKey: ssh-\S+ \S+/g, "")
      .replace(/\{ address: (\S+), connection: \{ hostKey: ssh-\S+ [^ ]+ \} \}/g, "$1")
      .replace(/, hostKey: ssh-\S+ [^ ,}]+/g, "");
    expect(without.replace(HOST_KEY, `"${OTHER_HOST_KEY}"`)).toBe(HOSTILE);
  });

  test("of one host change no other, also where they share their text", () => {
    const pins = withPins(HOSTILE, keysFor("template"));
    const before = keysIn(HOSTILE);
    const after = keysIn(pins.text);
    const changed = Object.keys(before).filter((host) => before[host] !== after[host]);
    expect(changed).toEqual(pins.written);
    expect([...pins.written, ...pins.byHand]).toEqual(["template"]);
  });

  test("keep the ends of lines", () => {
    const pins = withPins("hosts:\r\n  a:\r\n    address: 192.0.2.1\r\n", keysFor("a"));
    expect(pins.text).toBe(
      `hosts:\r\n  a:\r\n    address: 192.0.2.1\r\n    connection:\r\n      hostKey: ${HOST_KEY}\r\n`,
    );
  });

  test("of hosts without an entry of their own are left to be written by hand", () => {
    const text = "x-all: &all { a: 192.0.2.1 }\n".replace("x-all", "hosts");
    expect(withPins(`${text}`, keysFor("nobody"))).toMatchObject({ text, byHand: ["nobody"] });
  });
});
