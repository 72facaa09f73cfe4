/** cdktf's Testing leaves a folder behind for each stack: the tests get a temporary folder of their own, removed at the end. */
const { mkdtempSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

let folder;

module.exports = async (_, project) => {
  folder = mkdtempSync(join(tmpdir(), `ssh-only-firewall-${project.displayName?.name ?? "tests"}-`));
  process.env.TMPDIR = folder;
};

module.exports.teardown = async () => rmSync(folder, { recursive: true, force: true });
