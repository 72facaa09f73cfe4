/** A fleet of thousands of hosts is parsed once, from its file to the stacks that are written. */
import { App } from "cdktf";
import { parseFleet } from "../../lib/fleet/fleet-file";
import { addStacks } from "../../lib/fleet/fleet-stack";
import * as host from "../../lib/policy/host";
import { emptyFolder } from "../cli/support/run";

jest.mock("../../lib/policy/host", () => {
  const actual = jest.requireActual<typeof host>("../../lib/policy/host");
  return { ...actual, parseHost: jest.fn(actual.parseHost), parseShared: jest.fn(actual.parseShared) };
});

test.each(["", "stacks: 3\n", "stacks: by-group\n"])("each host is parsed once with %j", (stacks) => {
  jest.clearAllMocks();
  const keys = Array.from({ length: 12 }, (_, index) => `h${index}`);
  const group = (index: number): string => (stacks.includes("group") ? `, group: g${index % 2}` : "");
  const hosts = keys.map((key, index) => `  ${key}: { address: 192.0.2.${index}${group(index)} }\n`).join("");
  const { fleet, problems } = parseFleet(`tracker: terraform_data\nwaves: [[h1, h2]]\n${stacks}hosts:\n${hosts}`);
  expect(problems).toEqual([]);
  const app = new App({ outdir: emptyFolder() });
  addStacks(app, fleet!);
  app.synth();
  expect(jest.mocked(host.parseHost).mock.calls.map(([key]) => key)).toEqual(keys);
  expect(host.parseShared).toHaveBeenCalledTimes(1);
});
