/** Connection blocks: what an attribute is called in Terraform, and where a provisioner finds its value. */
import type { SSHProvisionerConnection } from "cdktf";
import { type Term, expression, toExpression, toJson } from "./escape";

/** The names under which hosts' connection values travel, in locals and in memory. */
export const CONNECTION_NAMES = [
  "address",
  "port",
  "user",
  "private_key_path",
  "certificate_path",
  "agent",
  "host_key",
  "bastion_host",
  "bastion_port",
  "bastion_user",
  "bastion_private_key_path",
  "bastion_host_key",
  "script_path",
  "timeout",
] as const;

export type ConnectionName = (typeof CONNECTION_NAMES)[number];

/**
 * A connection block. Keys are read from their files when Terraform runs, so that they are in no plan and no state.
 * @param termOf where each value is found.
 */
export function connectionBlock(termOf: (name: ConnectionName) => Term): SSHProvisionerConnection {
  const contents = (name: ConnectionName): Term => {
    const path = termOf(name);
    if ("literal" in path) {
      // Not a constant, or Terraform would want the key already where a plan is made for review.
      return path.literal === null ? path : expression(`file(each.key == "" ? "" : ${toExpression(path)})`);
    }
    return expression(`${path.expression} == null ? null : file(${path.expression})`);
  };
  const terms: Record<string, Term> = {
    host: termOf("address"),
    port: termOf("port"),
    user: termOf("user"),
    privateKey: contents("private_key_path"),
    certificate: contents("certificate_path"),
    agent: termOf("agent"),
    hostKey: termOf("host_key"),
    bastionHost: termOf("bastion_host"),
    bastionPort: termOf("bastion_port"),
    bastionUser: termOf("bastion_user"),
    bastionPrivateKey: contents("bastion_private_key_path"),
    bastionHostKey: termOf("bastion_host_key"),
    scriptPath: termOf("script_path"),
    timeout: termOf("timeout"),
  };
  const set = Object.entries(terms)
    .map(([name, term]) => [name, toJson(term)] as const)
    .filter(([, value]) => value !== null);
  return { type: "ssh", ...Object.fromEntries(set) } as unknown as SSHProvisionerConnection;
}
