import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { emptyFolder, program, run } from "./support/run";

const folder = emptyFolder();
const file = join(folder, "fleet.yaml");

test("pin writes nothing where it cannot reach a host, and reports why", () => {
  // Nothing listens there.
  const text = "hosts:\n  a: { address: 127.0.0.1, sshPort: 1 } # closed\n";
  writeFileSync(file, text);
  const { code, stdout } = run(program("ssh-only-firewall", "pin"), folder);
  expect(stdout).toMatch(/^a {2}not reached {2}.*refused/);
  expect(code).toBe(2);
  expect(readFileSync(file, "utf8")).toBe(text);
});

test("pin ends with 1 where the fleet file cannot be read", () => {
  expect(run(program("ssh-only-firewall", "pin", "nowhere.yaml"), folder)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("nowhere.yaml") as string,
  });
});
