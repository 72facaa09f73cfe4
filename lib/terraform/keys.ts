/**
 * Whether the files of private keys and certificates can work, found out by Terraform at apply and before it makes the lockdown: a
 * provisioner that fails taints. A lockdown keeps the answer, because what it keeps is worked out for those alone that a plan makes
 * anew. Preconditions have better messages, but Terraform checks those of all hosts in every apply.
 */
import type { TerraformLocal } from "../framework/framework";
import { CONNECTION, CONNECTION_LIST, type ConnectionAttribute } from "../contract/connection";
import { LOCALS } from "../contract/names";
import { wholePath } from "./connection";
import { type Context, reference } from "./context";
import { quoted, toExpression } from "./escape";
import { shardSuffixes } from "./layout";

const FILES = CONNECTION_LIST.filter(({ isFile }) => isFile === true);

/** In words: "bastion private key". */
const kindOf = ({ argument }: ConnectionAttribute): string =>
  argument.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** By the names of the attributes: where each is set. */
const PLACES: ReadonlyMap<string, string> = new Map(
  Object.entries(CONNECTION).map(([property, { name }]) => [
    name,
    `connection.${property.replace(/^bastion(.)/, (_, first: string) => `bastion.${first.toLowerCase()}`)}`,
  ]),
);

const PATTERNS = {
  publicKey: "^(ssh-|ecdsa-|sk-)[^ ]+ [A-Za-z0-9+/]|BEGIN (SSH2 |RSA )?PUBLIC KEY",
  privateKey: "-----BEGIN [A-Z ]*PRIVATE KEY-----",
  /** In base64: "openssh-key-v1", a zero, and the cipher "none" with its length in front. */
  openSsh: "BEGIN OPENSSH PRIVATE KEY",
  openSshPlain: "BEGIN OPENSSH PRIVATE KEY-----[[:space:]]+b3BlbnNzaC1rZXktdjEAAAAABG5vbmUA",
  encrypted: "ENCRYPTED",
  certificate: "^[^ ]+-cert-v[0-9]+@openssh[.]com ",
} as const;

/** In a list of the local: which attribute, and the path. */
const entry = (name: string, path: string): string => `{ name = ${quoted(name)}, path = ${path} }`;

export class Keys {
  /** By shard: of each file of its hosts, what is wrong with it. */
  private readonly problems: readonly TerraformLocal[];

  /** @param entries the local of each shard's hosts */
  public constructor(
    private readonly context: Context,
    entries: readonly TerraformLocal[],
  ) {
    const suffixes = shardSuffixes(context.props.layout.shards);
    this.problems = entries.map((hosts, shard) =>
      context.local(LOCALS.keyProblems, suffixes[shard] ?? "", () => this.problemsOf(reference(hosts))),
    );
  }

  /** A template: an error, before the lockdown is made, where a file of its host cannot work. Undefined where no host has files. */
  public checkedIn(shard: number): string | undefined {
    const problems = reference(this.problems[shard] as TerraformLocal);
    const found = this.attributes.map(
      ({ name }) => `lookup(${problems}, join(" ", compact([${quoted(name)}, ${this.pathOf(name)}])), "")`,
    );
    const sentences = `[for problem in compact([${found.join(", ")}]) : "Host \${each.key}: \${problem} The host was not changed."]`;
    return found.length === 0 ? undefined : `\${lookup(tomap({ "" = "yes" }), join(" ", ${sentences}))}`;
  }

  /** Those that a host has. */
  private get attributes(): readonly ConnectionAttribute[] {
    const { common } = this.context.configuration;
    return FILES.filter(({ name }) => !common.has(name) || common.get(name) !== undefined);
  }

  private pathOf(name: string): string {
    return toExpression(this.context.configuration.termOf(name));
  }

  private problemsOf(hosts: string): unknown {
    const { common } = this.context.configuration;
    const lists = this.attributes.map(({ name }) =>
      common.has(name)
        ? `[${entry(name, this.pathOf(name))}]`
        : `[for host in ${hosts} : ${entry(name, `host.${name}`)} if host.${name} != null]`,
    );
    const table = (valueOf: (attribute: ConnectionAttribute) => string): string =>
      `{ ${this.attributes.map((one) => `${one.name} = ${quoted(valueOf(one))}`).join(", ")} }[one.name]`;
    const what = table(kindOf);
    const where = table(({ name }) => PLACES.get(name) ?? "");
    // Before the apply nobody knows the time: a plan for review needs no key.
    const text = `try(file(timestamp() == "" ? "" : ${wholePath("one.path", this.context.appFolder)}), "")`;
    const problem = `[for text in [${text}] : ${wrong("text", `${what} == ${quoted("certificate")}`)}][0]`;
    return lists.length === 0
      ? {}
      : `\${{ for one in distinct(concat(${lists.join(", ")})) : "\${one.name} \${one.path}" => [for problem in [${problem}] : problem == "" ? "" : "the \${${what}} \${one.path} \${problem} (\${${where}})."][0] }}`;
  }
}

/** An expression: what is wrong with the text of a file, and what to do; empty where nothing is. */
function wrong(text: string, isCertificate: string): string {
  const has = (pattern: string): string => `can(regex(${quoted(pattern)}, ${text}))`;
  const cases = [
    [`${text} == ""`, "cannot be read where Terraform runs: correct the path"],
    [
      `${isCertificate} && !${has(PATTERNS.certificate)}`,
      "is not an SSH certificate: name the file that ends in -cert.pub",
    ],
    [isCertificate, ""],
    [has(PATTERNS.publicKey), "is a public key: name the private one, usually the same path without .pub"],
    [
      `!${has(PATTERNS.privateKey)}`,
      "is not a private key that Terraform reads (PEM or OpenSSH): convert it, or name another",
    ],
    [
      `${has(PATTERNS.encrypted)} || ${has(PATTERNS.openSsh)} && !${has(PATTERNS.openSshPlain)}`,
      "has a passphrase, which Terraform never prompts for: add it to an agent (ssh-add) and leave the path out, or name a key without one",
    ],
  ] as const;
  return `${cases.map(([condition, then]) => `${condition} ? ${quoted(then)} : `).join("")}""`;
}
