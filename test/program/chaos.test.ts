/** A few sequences of the campaign (npm run chaos), always the same ones. */
import * as fc from "fast-check";
import { describeLab } from "../lab/describe-lab";
import { type HostFirewall, Lab } from "../lab/lab";
import { printed, sequences, Turmoil } from "./support/chaos";
import { HostProgram } from "./support/host-program";

describe.each([
  ["nftables", 7],
  ["iptables-legacy", 11],
] as const)("with %s", (firewall: HostFirewall, seed) => {
  describeLab("a host to which anything happens", () => {
    let lab: Lab;
    beforeAll(async () => {
      lab = await Lab.create({ hosts: [{ name: "host", firewall, listeners: true }] });
    });
    afterAll(() => lab?.destroy());

    const all = fc.sample(sequences, { seed, numRuns: 2 }).map((actions) => ({ actions, text: printed(actions) }));
    test.each(all)(
      "is reachable, called what it is, and can be locked and unlocked after $text",
      async ({ actions }) => {
        const host = lab.host("host");
        await new Turmoil(host, await HostProgram.on(host), lab.controller).run(actions);
      },
    );
  });
});
