/** What is wrong with the framework that an app is built on. */
export interface Framework {
  readonly name: string;
  readonly version: string;
}

const ENTRIES: Readonly<Record<string, string>> = {
  cdktf: "cdktf-ssh-only-firewall",
  cdktn: "cdktf-ssh-only-firewall/cdktn",
};

export const frameworkMessages = {
  /** `expected` is the framework of this entry; the stack was made with another one, or another copy of it. */
  otherCopy: (path: string, expected: string, found: Framework): string => {
    const entry = ENTRIES[found.name];
    return (
      `${path}: the stack was made with ${found.name} ${found.version}, and "${ENTRIES[expected]}" uses another copy of the ` +
      "framework, so that its warnings and its provider would be lost. " +
      (found.name === expected || entry === undefined ? oneCopy(found.name) : `Import SshOnlyFirewall from "${entry}".`)
    );
  },
  hcl: (path: string): string =>
    `${path} cannot be written as HCL: the framework writes connection blocks and texts of several lines so that Terraform ` +
    "cannot read them. Run synth without --hcl (SYNTH_HCL_OUTPUT, hclOutput): Terraform and OpenTofu read the JSON as well.",
};

const oneCopy = (name: string): string =>
  `Let npm install one copy of ${name}: npm ls ${name} shows where each comes from, npm dedupe joins those that can be joined, ` +
  `and with "overrides": {"${name}": "$${name}"} in package.json everything uses that of the app.`;
