import { constants } from "node:buffer";
import fc from "fast-check";
import { UnreadableError } from "../../lib/input/json";
import { readPlan } from "../../lib/review/plan";
import { blockOf } from "../../lib/review/plan-configuration";
import { bytesOf, planOf } from "./support/plans";

const refusal = (bytes: Uint8Array): string => {
  try {
    readPlan(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(UnreadableError);
    return (error as Error).message;
  }
  return "";
};

describe("a plan is read", () => {
  const plan = planOf([{ key: "web-1" }]);

  test("with fields and a minor version that are not known here", () => {
    const newer = { ...plan, format_version: "1.99", novelty: { a: [1] }, variables: { x: 1 } };
    expect(readPlan(bytesOf(newer)).changes).toEqual(readPlan(bytesOf(plan)).changes);
  });

  test("from what PowerShell writes", () => {
    const text = JSON.stringify(plan);
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")]);
    const utf8 = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]);
    expect(readPlan(utf16).changes).toHaveLength(3);
    expect(readPlan(utf8).changes).toHaveLength(3);
  });

  test("without what OpenTofu and an older Terraform do not say: it did not fail, and may be whole or not", () => {
    expect(readPlan(bytesOf({ ...plan, complete: undefined }))).toMatchObject({ complete: undefined, errored: false });
    expect(readPlan(bytesOf({ ...plan, complete: false, errored: true }))).toMatchObject({
      complete: false,
      errored: true,
    });
  });
});

describe("what is no plan is refused, with the remedy", () => {
  const change = (changed: object): unknown => ({
    ...planOf([]),
    resource_changes: [{ address: "a.b", type: "a", name: "b", ...changed }],
  });

  test.each<[string, Uint8Array, RegExp]>([
    ["nothing", Buffer.from(" \n"), /^is empty; give what `terraform show -json PLANFILE` prints, and mind/],
    ["the plan file", Buffer.from("PK\u0003\u0004"), /^is the plan file itself.*run terraform show -json on it$/],
    [
      "the log of a plan",
      Buffer.from('{"@level":"info"}\n{"@level":"info"}\n'),
      /^is the log of `terraform plan -json`/,
    ],
    ["a state", bytesOf({ format_version: "1.0", values: {} }), /^is a state, not a plan; give what/],
    ["another document", bytesOf({ a: 1 }), /^is not a plan; give what/],
    [
      "another version",
      bytesOf({ ...planOf([]), format_version: "2.0" }),
      /^format_version: "2.0" is not supported, only 1.x is;/,
    ],
    [
      "a version of long ago",
      bytesOf({ ...planOf([]), format_version: "0.2" }),
      /^format_version: "0.2" is not supported/,
    ],
    ["a list", bytesOf([]), /^is not a plan/],
    [
      "more than JavaScript can hold as one text",
      new Uint8Array(constants.MAX_STRING_LENGTH + 1),
      /^has 512 MiB or more, which is too much .*divide the fleet into stacks$/,
    ],
    [
      "a plan that OpenTofu encrypted",
      bytesOf({ meta: {}, encrypted_data: "x" }),
      /^is an encrypted plan; run tofu show -json/,
    ],
    [
      "an odd list of changes",
      bytesOf({ ...planOf([]), resource_changes: "x" }),
      /^resource_changes: must be a list, not text$/,
    ],
    ["an odd address", bytesOf(change({ address: 7 })), /^resource_changes\[0\].address: must be text, not 7$/],
    [
      "a change without actions",
      bytesOf(change({ change: {} })),
      /^resource_changes\[0\].change.actions: must be a list, not undefined$/,
    ],
    ["an odd flag", bytesOf({ ...planOf([]), errored: "yes" }), /^errored: must be true or false, not text$/],
  ])("%s", (_what, bytes, message) => {
    expect(refusal(bytes)).toMatch(message);
  });

  test("without a word of what is in it", () => {
    expect(refusal(Buffer.from('{"password": "hunter2" "x"}'))).toMatch(/^is not JSON( \(.*\))?; give what/);
    expect(refusal(Buffer.from('{"password": "hunter2" "x"}'))).not.toContain("hunter2");
    expect(refusal(bytesOf({ ...planOf([]), errored: "hunter2" }))).not.toContain("hunter2");
  });

  test("whatever it is, never by another error", () => {
    fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (text) => void refusal(Buffer.from(text))));
    const { resource_changes: changes, ...rest } = planOf([{ key: "a" }]) as { resource_changes: unknown[] };
    const odd = fc.record({
      format_version: fc.constant("1.2"),
      resource_changes: fc.jsonValue(),
      configuration: fc.jsonValue(),
      prior_state: fc.jsonValue(),
    });
    fc.assert(fc.property(odd, (plan) => void refusal(bytesOf({ ...rest, ...plan }))));
    fc.assert(
      fc.property(
        fc.jsonValue(),
        (value) =>
          void refusal(
            bytesOf({
              ...rest,
              resource_changes: [...changes, { address: "a", type: "terraform_data", name: "c", change: value }],
            }),
          ),
      ),
    );
  });
});

test("instances of a module come from one block, whatever its keys are", () => {
  const place = { type: "t", name: "n" };
  expect(blockOf({ module: "", ...place })).toBe("t.n");
  expect(blockOf({ module: 'module.a["x\\"].module.b"].module.c[0]', ...place })).toBe("module.a.module.c.t.n");
});
