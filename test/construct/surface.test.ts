/** What users may import. A change here is a change of the package's version. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as ts from "typescript";
import * as library from "../../lib/index";

function exportedNames(): string[] {
  const file = join(__dirname, "../../lib/index.ts");
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022);
  return source.statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || !statement.exportClause || !ts.isNamedExports(statement.exportClause)) {
      throw new Error(`lib/index.ts holds something else than named exports: ${statement.getText(source)}`);
    }
    return statement.exportClause.elements.map((element) => element.name.text);
  });
}

test("lib/index.ts exports these names", () => {
  expect(exportedNames().sort()).toEqual([
    "AllowedSource",
    "Backend",
    "BackendName",
    "BastionProps",
    "ConnectionProps",
    "Denial",
    "Direction",
    "EgressOptions",
    "ExceptionKind",
    "Family",
    "HostProps",
    "IngressOptions",
    "InvalidInputError",
    "LockedHost",
    "Mode",
    "OnDestroy",
    "Peers",
    "PingOptions",
    "PolicyException",
    "PolicyProps",
    "Problem",
    "Protocol",
    "ProtocolOptions",
    "SharedProps",
    "SshOnlyFirewall",
    "SshOnlyFirewallProps",
    "SyslogOptions",
    "TrackerKind",
    "WireguardOptions",
  ]);
});

test("these of them exist at run time", () => {
  expect(Object.keys(library).sort()).toEqual([
    "AllowedSource",
    "InvalidInputError",
    "PolicyException",
    "SshOnlyFirewall",
  ]);
});

test("a firewall has these members", () => {
  const members = Object.getOwnPropertyNames(library.SshOnlyFirewall.prototype).sort();
  expect(members).toEqual(expect.arrayContaining(["addHost", "inventory", "lockedHosts", "problems"]));
});
