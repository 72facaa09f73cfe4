import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { emptyFolder, ROOT, run } from "../cli/support/run";

const DEPENDENCIES = "cdktf commander diff fast-xml-parser ipaddr.js p-limit picocolors string-width yaml".split(" ");

/** Which of our dependencies are loaded after a file of lib, and what is done with it as `loaded`. */
function loadedBy(file: string, then = ""): string[] {
  const script = join(emptyFolder(), "loaded.cjs");
  writeFileSync(
    script,
    `const loaded = require(${JSON.stringify(join(ROOT, file))});
    const isLoaded = (name) => Object.keys(require.cache).some((path) => path.includes("/node_modules/" + name + "/"));
    const tell = () => console.log(JSON.stringify(${JSON.stringify(DEPENDENCIES)}.filter(isLoaded)));
    Promise.resolve(${then}).then(tell);`,
  );
  return JSON.parse(run([process.execPath, require.resolve("tsx/cli"), script], ROOT).stdout) as string[];
}

/** After a command that reads a file that is not there. */
const loadedByCommand = (command: string): string[] =>
  loadedBy("lib/cli/run.ts", `loaded.run([${JSON.stringify(command)}, "/not-there"])`);

test("importing the package loads nothing that only the command line needs", () => {
  expect(loadedBy("lib/index.ts")).toEqual(["cdktf", "ipaddr.js"]);
  // That it would be seen:
  expect(loadedBy("lib/cli/run.ts", 'loaded.run(["nothing"])')).toEqual(DEPENDENCIES);
});

test.each(["status", "report", "review"])("%s does not load cdktf, because it builds no construct", (command) => {
  const loaded = loadedByCommand(command);
  expect(loaded).toContain("commander");
  expect(loaded).not.toContain("cdktf");
});
