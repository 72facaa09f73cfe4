/** Whether Terraform could use the private keys of a connection, seen from this machine. */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import type { Reason } from "./reply";
import { plain } from "../output/text";
import type { Subject } from "./subject";

/** What is wrong with the keys that a host is reached with; empty where nothing is. */
export function keyProblems({ host, agent }: Subject): readonly Reason[] {
  const { privateKeyPath, bastionPrivateKeyPath } = host.connection;
  const paths = [privateKeyPath, bastionPrivateKeyPath].filter((path) => path !== undefined);
  if (paths.length === 0 && agent && (process.env.SSH_AUTH_SOCK ?? "") === "") {
    return [
      { word: "no-key", text: "no privateKeyPath is set, and no SSH agent runs here: set one, or start an agent" },
    ];
  }
  return [...new Set(paths)].flatMap((path) => keyProblem(path) ?? []);
}

function keyProblem(path: string): Reason | undefined {
  const shown = plain(path);
  let text: string;
  try {
    text = readFileSync(path.replace(/^~(?=\/)/, homedir()), "latin1");
  } catch (error) {
    return {
      word: "no-key",
      text: `the private key ${shown} cannot be read here (${codeOf(error)}): correct the path`,
    };
  }
  if (/^(?:ssh-|ecdsa-|sk-)\S+ \S|BEGIN (?:SSH2 |RSA )?PUBLIC KEY/.test(text)) {
    return {
      word: "public-key",
      text: `${shown} is a public key: name the private one, usually the same path without .pub`,
    };
  }
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    return {
      word: "no-key",
      text: `${shown} is not a private key that Terraform reads (PEM or OpenSSH): convert it, or name another`,
    };
  }
  return isEncrypted(text)
    ? {
        word: "encrypted-key",
        text: `the private key ${shown} has a passphrase, which Terraform never prompts for: add it to an agent (ssh-add) and leave the path out, or name a key without one`,
      }
    : undefined;
}

function isEncrypted(text: string): boolean {
  const [, body = ""] = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)/.exec(text) ?? [];
  if (body === "") {
    return /ENCRYPTED/.test(text);
  }
  // "openssh-key-v1", a zero, and the cipher with its length in front.
  const key = Buffer.from(body, "base64");
  return key.subarray(19, 23).toString() !== "none";
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "error";
