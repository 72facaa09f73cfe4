/** The repository's own files, for tests that read code. */
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";

export const ROOT = join(__dirname, "../..");

/** Paths of the files in these folders, relative to the repository; those that end differently are left out. */
export function filesIn(folders: readonly string[], ...endings: readonly string[]): string[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(ROOT, join(entry.parentPath, entry.name))),
    )
    .filter((file) => endings.some((ending) => file.endsWith(ending)))
    .sort();
}
