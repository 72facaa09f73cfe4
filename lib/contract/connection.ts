/**
 * The attributes of a connection: the one table from which locals, connection blocks, the memory of holds, and the command line
 * of `ssh` are made. The keys are those of a host's connection in TypeScript.
 */

export interface ConnectionAttribute {
  /** In locals, in the memory of a hold or lockdown, and in the query of `drift`. */
  readonly name: string;
  /** The argument of Terraform's connection block, as cdktf spells it. */
  readonly argument: string;
  /** The argument takes the contents of the file with this path, read when Terraform runs. @default false */
  readonly isFile?: boolean;
  /**
   * It belongs to the machine, so that a hold remembers it also where all hosts have the same; everything else belongs to
   * whoever runs Terraform. @default false
   */
  readonly ofMachine?: boolean;
  /** The commands that ask hosts over ssh use it. @default false */
  readonly isAsked?: boolean;
  /** Stands behind the value. @default - nothing */
  readonly unit?: string;
}

/** The address is the host's own property, and a trigger instead of memory. */
export const ADDRESS = { name: "address", argument: "host" } as const satisfies ConnectionAttribute;

export const CONNECTION = {
  port: { name: "port", argument: "port", ofMachine: true, isAsked: true },
  user: { name: "user", argument: "user", ofMachine: true, isAsked: true },
  privateKeyPath: { name: "private_key_path", argument: "privateKey", isFile: true, isAsked: true },
  certificatePath: { name: "certificate_path", argument: "certificate", isFile: true },
  agent: { name: "agent", argument: "agent" },
  hostKey: { name: "host_key", argument: "hostKey", ofMachine: true, isAsked: true },
  bastionHost: { name: "bastion_host", argument: "bastionHost", ofMachine: true, isAsked: true },
  bastionPort: { name: "bastion_port", argument: "bastionPort", ofMachine: true, isAsked: true },
  bastionUser: { name: "bastion_user", argument: "bastionUser", ofMachine: true, isAsked: true },
  bastionPrivateKeyPath: {
    name: "bastion_private_key_path",
    argument: "bastionPrivateKey",
    isFile: true,
    isAsked: true,
  },
  bastionHostKey: { name: "bastion_host_key", argument: "bastionHostKey", ofMachine: true, isAsked: true },
  scriptPath: { name: "script_path", argument: "scriptPath" },
  timeoutSeconds: { name: "timeout", argument: "timeout", unit: "s" },
} as const satisfies Record<string, ConnectionAttribute>;

export const CONNECTION_LIST: readonly ConnectionAttribute[] = Object.values(CONNECTION);

export type ConnectionProperty = keyof typeof CONNECTION;

type Asked = {
  [P in ConnectionProperty]: (typeof CONNECTION)[P] extends { isAsked: true } ? P : never;
}[ConnectionProperty];

/** How a host is reached over ssh, as a state or a fleet file knows it. */
export type AskedConnection = { readonly [P in Asked]?: string };

/** The connection whose attributes `valueOf` has, by their names; what is undefined is left out. */
export function askedConnection(valueOf: (name: string, property: Asked) => string | undefined): AskedConnection {
  const attributes = Object.entries(CONNECTION) as ReadonlyArray<[Asked, ConnectionAttribute]>;
  const known = attributes
    .filter(([, { isAsked }]) => isAsked === true)
    .map(([property, { name }]) => [property, valueOf(name, property)] as const);
  return Object.fromEntries(known.filter(([, value]) => value !== undefined));
}
