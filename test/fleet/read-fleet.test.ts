import { writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { readFleet } from "../../lib/fleet/fleet-file";
import { emptyFolder } from "../cli/support/run";

/** Root may read everything, so root does it as nobody. */
function asOrdinaryUser<T>(action: () => T): T {
  if (process.geteuid?.() !== 0) {
    return action();
  }
  process.seteuid?.("nobody");
  try {
    return action();
  } finally {
    process.seteuid?.(0);
  }
}

test("a file that may not be read is said to be so, and to whom", () => {
  const file = join(emptyFolder(), "fleet.yaml");
  writeFileSync(file, "hosts: { web-1: 192.0.2.10 }\n", { mode: 0 });
  asOrdinaryUser(() => {
    const message = `${file}: may not be read by ${userInfo().username}; see its permissions (ls -l)`;
    expect(() => readFleet(file)).toThrow(message);
  });
});
