/** The version of the host program, by which a lockdown's trigger sees that hosts need another one. */
import { appendFileSync, cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostProgramVersion } from "../../lib/host/program";

const folder = join(__dirname, "../../lib/host");
/** What only asks a host is not kept there. */
const files = readdirSync(folder).filter((file) => file.endsWith(".sh") && !file.startsWith("ask"));

/** That of a copy of the program in which something was added to a file. */
function versionWith(file: string, added: string): string {
  const copy = mkdtempSync(join(tmpdir(), "program-"));
  try {
    cpSync(folder, copy, { recursive: true });
    appendFileSync(join(copy, file), added);
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- of a folder that did not exist before
    return (require(join(copy, "program.ts")) as typeof import("../../lib/host/program")).hostProgramVersion();
  } finally {
    rmSync(copy, { recursive: true });
  }
}

test.each(files)("is another one when %s changes", (file) => {
  expect(versionWith(file, "")).toBe(hostProgramVersion());
  expect(versionWith(file, "true\n")).not.toBe(hostProgramVersion());
});
