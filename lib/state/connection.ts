/** What the state, or a fleet file, knows of how a host is reached. */

/** By the names that Terraform has for the settings. */
const NAMES = {
  port: "port",
  user: "user",
  hostKey: "host_key",
  privateKeyPath: "private_key_path",
  bastionHost: "bastion_host",
  bastionPort: "bastion_port",
  bastionUser: "bastion_user",
  bastionHostKey: "bastion_host_key",
  bastionPrivateKeyPath: "bastion_private_key_path",
} as const;

export type Connection = { readonly [name in keyof typeof NAMES]?: string };

/** From values that have the names of Terraform. */
export function connectionFrom(valueOf: (name: string) => string | undefined): Connection {
  return defined(([, terraformName]) => valueOf(terraformName));
}

/** From a connection as the policy has it, with a value for each setting. */
export function connectionOf(policy: object): Connection {
  const values = new Map<string, unknown>(Object.entries(policy));
  return defined(([name]) => {
    const value = values.get(name);
    return value === undefined ? undefined : String(value);
  });
}

function defined(valueOf: (entry: readonly [string, string]) => string | undefined): Connection {
  const known = Object.entries(NAMES).map((entry) => [entry[0], valueOf(entry)] as const);
  return Object.fromEntries(known.filter(([, value]) => value !== undefined));
}
