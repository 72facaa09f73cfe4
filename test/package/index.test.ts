import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { emptyFolder, ROOT, run } from "../cli/support/run";

const DEPENDENCIES = "cdktf commander diff fast-xml-parser ipaddr.js p-limit picocolors string-width yaml".split(" ");

/** Which of our dependencies are loaded after a file of lib. */
function loadedBy(file: string): string[] {
  const script = join(emptyFolder(), "loaded.cjs");
  writeFileSync(
    script,
    `require(${JSON.stringify(join(ROOT, file))});
    const loaded = Object.keys(require.cache);
    const isLoaded = (name) => loaded.some((path) => path.includes("/node_modules/" + name + "/"));
    console.log(JSON.stringify(${JSON.stringify(DEPENDENCIES)}.filter(isLoaded)));`,
  );
  return JSON.parse(run([process.execPath, require.resolve("tsx/cli"), script], ROOT).stdout) as string[];
}

test("importing the package loads nothing that only the command line needs", () => {
  expect(loadedBy("lib/index.ts")).toEqual(["cdktf", "ipaddr.js"]);
  // That it would be seen:
  expect(loadedBy("lib/cli/run.ts")).toEqual(DEPENDENCIES);
});
