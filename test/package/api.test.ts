/** docs/API.md says what the doc comments say. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { emptyFolder, ROOT } from "../cli/support/run";

test("docs/API.md is what npm run api makes of the doc comments", () => {
  const folder = emptyFolder();
  const typedoc = join(ROOT, "node_modules/typedoc/bin/typedoc");
  const args = [typedoc, "--options", join(ROOT, "build/typedoc.json"), "--out", folder, "--logLevel", "Warn"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: "" });
  expect(readFileSync(join(ROOT, "docs/API.md"), "utf8")).toBe(readFileSync(join(folder, "API.md"), "utf8"));
});
