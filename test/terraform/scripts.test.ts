/** What a host is given and how it is reached, as the real Terraform works it out and the real shells read it. */
import { createHash } from "node:crypto";
import { DataResource, type TerraformStack } from "cdktf";
import { defined } from "../support/required";
import { AllowedSource, PolicyException, SshOnlyFirewall, type SshOnlyFirewallProps } from "../../lib/index";
import { hostProgram, hostProgramVersion, launcher } from "../../lib/host/program";
import { parsePolicy } from "../../lib/policy/policy";
import { Problems } from "../../lib/input/problems";
import { renderRulesets } from "../../lib/ruleset/backends";
import {
  type Configuration,
  HOST_KEY,
  attributeOf,
  configurationOf,
  partsOf,
  stackOf,
} from "../construct/support/configuration";
import { describeWith, Folder, SHELLS, wordsIn } from "./support/real-tools";

jest.setTimeout(60_000);

/** What the provisioners of one host would be given. */
interface Given {
  readonly lock: string;
  readonly confirm: string;
  readonly unlock: string;
  readonly confirmUnlock: string;
  readonly connection: Readonly<Record<string, unknown>>;
  readonly connectionOfUnlock: Readonly<Record<string, unknown>>;
  readonly connectionOfItsConfirm: Readonly<Record<string, unknown>>;
}

function configurationWith(props: (stack: TerraformStack) => SshOnlyFirewallProps): Configuration {
  return configurationOf(
    stackOf((stack) => new SshOnlyFirewall(stack, "firewall", { tracker: "terraform_data", ...props(stack) })),
  );
}

const without = <T>(named: Readonly<Record<string, T>>, names: RegExp): Record<string, T> =>
  Object.fromEntries(Object.entries(named).filter(([name]) => !names.test(name)));

/**
 * The same configuration, in which the provisioners are not run but evaluated, into an output by host. `self` of the
 * lockdown has an id that we make up; `self` of the hold is the hold.
 */
function evaluated(configuration: Configuration): object {
  const { lock, confirm, unlock, confirmUnlock } = partsOf(configuration, "terraform_data");
  const { firewall_ruleset, firewall_hold, firewall_lockdown, ...others } = defined(
    configuration.resource.terraform_data,
  );
  const ofLockdown = (text: unknown): unknown => JSON.parse(JSON.stringify(text).replaceAll("self.id", "each.key"));
  const ofHold = (text: unknown): unknown =>
    JSON.parse(JSON.stringify(text).replace(/\bself\./g, "terraform_data.firewall_hold[each.key]."));
  const given = {
    lock: ofLockdown(lock.inline[0]),
    confirm: ofLockdown(confirm.inline[0]),
    unlock: ofHold(unlock?.inline[0]),
    confirmUnlock: ofHold(confirmUnlock?.inline[0]),
    connection: lock.connection,
    connectionOfUnlock: ofHold(unlock?.connection),
    connectionOfItsConfirm: ofHold(confirmUnlock?.connection),
  };
  return {
    ...configuration,
    // Of lockdowns that are not there.
    locals: {
      ...without(configuration.locals, /_(runs|sealed|seal_runs|seal_times)(_host_|$)/),
      firewall_locked_hosts: "",
    },
    resource: {
      terraform_data: {
        ...without(others, /_(seal|relock|reseal)_host_/),
        firewall_ruleset,
        firewall_hold: { ...firewall_hold, provisioner: undefined },
        given: { for_each: firewall_lockdown?.for_each, input: given },
      },
    },
    output: {
      given: { value: "${{ for key, one in terraform_data.given : key => one.output }}" },
      holds: { value: "${{ for key, one in terraform_data.firewall_hold : key => one.id }}" },
    },
  };
}

const SETTINGS = [
  ...[
    "VERB",
    "HOST",
    "STACK",
    "CONSTRUCT",
    "WORKSPACE",
    "OWNER",
    "ATTEMPT",
    "RULESET",
    "NFTABLES",
    "IPTABLES",
    "IP6TABLES",
    "PORT",
    "ALLOW_FROM",
  ],
  ...[
    "EXCEPTIONS",
    "LOG_DENIED",
    "BACKEND",
    "CONFIRM_WITHIN",
    "SKIP_PREFLIGHT",
    "TAKE_OVER",
    "PROGRAM_VERSION",
    "PROGRAM",
  ],
];

/** The settings of a script, as the shell reads them, without running the launcher behind them. */
async function settingsIn(shell: string, script: string): Promise<Record<string, string>> {
  expect(script.endsWith(`\n\n${launcher()}`)).toBe(true);
  const constants = script.slice(0, -launcher().length);
  const values = await wordsIn(
    shell,
    SETTINGS.map((name) => `"\${SSH_ONLY_${name}-unset}"`),
    constants,
  );
  return Object.fromEntries(SETTINGS.map((name, index) => [name, defined(values[index])]));
}

describeWith(
  "a stack with hosts of different kinds",
  ["terraform", ...Object.values(SHELLS).map(([one]) => one)],
  () => {
    const folder = new Folder();
    const key = folder.file("a key ü $1 %1 #'", "-----A KEY-----\n").replace(/'$/, "");
    folder.file("a key ü $1 %1 #", "-----A KEY-----\n");
    const source = "198.51.100.7";
    const exceptions = [PolicyException.ping({ from: "192.0.2.0/24" }), PolicyException.dhcpClient()];
    const shared = { allowFrom: ["192.0.2.0/24", "2001:db8::/32"], exceptions };
    let given: Record<string, Given>;
    let holds: Record<string, string>;

    beforeAll(async () => {
      const configuration = configurationWith((stack) => {
        const input = { address: "192.0.2.77", source, user: "o'neil", key: HOST_KEY };
        const vm = new DataResource(stack, "vm", { input });
        const token = (name: string): string => attributeOf(vm, `output.${name}`);
        return {
          ...shared,
          connection: { privateKeyPath: key, timeoutSeconds: 9 },
          hosts: {
            plain: "192.0.2.1",
            own: {
              address: "2001:DB8::2",
              sshPort: 2222,
              backend: "iptables",
              confirmWithinSeconds: 33,
              skipPreflight: true,
              takeOver: "same-stack",
              connection: {
                user: "ops",
                port: 22022,
                agent: true,
                hostKey: HOST_KEY,
                timeoutSeconds: 5,
                bastion: { host: "jump", user: "hop", port: 2022, privateKeyPath: key },
              },
            },
            tokens: {
              address: token("address"),
              allowFrom: [AllowedSource.ipv4(token("source"))],
              connection: { user: token("user"), hostKey: token("key"), bastion: { host: token("address") } },
            },
          },
        };
      });
      ({ given, holds } = await folder.outputs<{ given: typeof given; holds: typeof holds }>(evaluated(configuration)));
    });

    afterAll(() => folder.remove());

    const texts = (props: object, backend: "auto" | "iptables"): Record<string, string> => {
      const policy = parsePolicy(props, new Problems());
      const {
        nftables = "",
        iptables = "",
        ip6tables = "",
      } = renderRulesets(policy as NonNullable<typeof policy>, backend);
      return { NFTABLES: nftables, IPTABLES: iptables, IP6TABLES: ip6tables };
    };

    describe.each(Object.keys(SHELLS))("in %s", (shell) => {
      test("a host with nothing of its own is given what all are", async () => {
        expect(await settingsIn(shell, defined(given.plain).lock)).toEqual({
          VERB: "lock",
          HOST: "plain",
          STACK: "fleet",
          CONSTRUCT: "firewall",
          WORKSPACE: "default",
          OWNER: holds.plain,
          ATTEMPT: "plain",
          RULESET: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
          ...texts(shared, "auto"),
          PORT: "22",
          ALLOW_FROM: "192.0.2.0/24 2001:db8::/32",
          EXCEPTIONS: "dhcp-client ping",
          LOG_DENIED: "",
          BACKEND: "auto",
          CONFIRM_WITHIN: "120",
          SKIP_PREFLIGHT: "false",
          TAKE_OVER: "false",
          PROGRAM_VERSION: hostProgramVersion(),
          PROGRAM: hostProgram(),
        });
      });

      test("a host with everything of its own is given that", async () => {
        expect(await settingsIn(shell, defined(given.own).lock)).toMatchObject({
          HOST: "own",
          OWNER: holds.own,
          ...texts({ ...shared, sshPort: 2222 }, "iptables"),
          PORT: "2222",
          BACKEND: "iptables",
          CONFIRM_WITHIN: "33",
          SKIP_PREFLIGHT: "true",
          TAKE_OVER: "same-stack",
        });
      });

      test("a host with tokens is given what they stand for", async () => {
        expect(await settingsIn(shell, defined(given.tokens).lock)).toMatchObject({
          HOST: "tokens",
          ALLOW_FROM: source,
          ...texts({ ...shared, allowFrom: [source] }, "auto"),
        });
      });

      test("the hash is that of the texts, and confirm and unlock name owner, attempt and hash", async () => {
        const { RULESET: hash, NFTABLES, IPTABLES, IP6TABLES } = await settingsIn(shell, defined(given.tokens).lock);
        expect(hash).toBe(
          createHash("sha256")
            .update(defined(NFTABLES) + defined(IPTABLES) + IP6TABLES)
            .digest("hex"),
        );
        const verb = async (script: string): Promise<string> => defined((await settingsIn(shell, script)).VERB);
        expect(await verb(defined(given.tokens).confirm)).toBe(`confirm ${holds.tokens} tokens ${hash}`);
        expect(await verb(defined(given.tokens).unlock)).toBe(`unlock ${holds.tokens} 120`);
        expect(await verb(defined(given.tokens).confirmUnlock)).toBe(`confirm-unlock ${holds.tokens}`);
      });
    });

    /** Without what is not set; Terraform makes no difference between null and a value that is not there. */
    const set = (connection: Readonly<Record<string, unknown>>): object =>
      Object.fromEntries(Object.entries(connection).filter(([, value]) => value !== null));

    test("each host is reached by its own connection over the shared one", () => {
      const script_path = "./.ssh/.ssh-only-firewall-%RAND%.sh";
      const common = { type: "ssh", private_key: "-----A KEY-----\n", script_path };
      expect(
        Object.fromEntries(Object.entries(given).map(([name, { connection }]) => [name, set(connection)])),
      ).toEqual({
        plain: {
          ...common,
          script_path: "./.ssh-only-firewall-%RAND%.sh",
          host: "192.0.2.1",
          user: "root",
          port: 22,
          agent: false,
          timeout: "9s",
        },
        own: {
          ...common,
          host: "2001:db8::2",
          user: "ops",
          port: 22022,
          agent: true,
          host_key: HOST_KEY,
          timeout: "5s",
          bastion_host: "jump",
          bastion_user: "hop",
          bastion_port: 2022,
          bastion_private_key: "-----A KEY-----\n",
        },
        tokens: {
          ...common,
          host: "192.0.2.77",
          user: "o'neil",
          port: 22,
          agent: false,
          host_key: HOST_KEY,
          timeout: "9s",
          bastion_host: "192.0.2.77",
        },
      });
    });

    test("each host is unlocked over the connection that it was locked over", () => {
      for (const { connection, connectionOfUnlock, connectionOfItsConfirm } of Object.values(given)) {
        expect(set(connectionOfUnlock)).toEqual(set(connection));
        // Long enough to hear that the host has locked itself again.
        expect(set(connectionOfItsConfirm)).toEqual({ ...set(connection), timeout: "150s" });
      }
    });
  },
);

describeWith("Terraform", ["terraform"], () => {
  const folder = new Folder();
  afterAll(() => folder.remove());

  const hosts = {
    a: "192.0.2.1",
    b: { address: "192.0.2.2", connection: { user: "ops", privateKeyPath: "/not/there" } },
  };

  test.each<[string, Partial<SshOnlyFirewallProps>]>([
    ["a stack that destroys", {}],
    ["a stack that leaves hosts locked", { onDestroy: "leave-locked" }],
    ["a stack that goes on without unreachable hosts", { onDestroy: "unlock-if-reachable" }],
    ["keys that are not there", { connection: { privateKeyPath: "/not/there", certificatePath: "/nor/there" } }],
    ["a bastion", { connection: { bastion: { host: "jump", privateKeyPath: "/not/there" } } }],
  ])("takes %s as it stands", async (_, props) => {
    expect(await folder.complaints(configurationWith(() => ({ hosts, ...props })))).toBe("");
  });

  test("takes a destroy provisioner of hosts whose connection is all tokens", async () => {
    const configuration = configurationWith((stack) => {
      const vm = new DataResource(stack, "vm", { input: { name: "x", address: "y" } });
      const token = attributeOf(vm, "output.name");
      const connection = { user: token, hostKey: token, privateKeyPath: token, bastion: { host: token, user: token } };
      return {
        hosts: {
          a: { address: attributeOf(vm, "output.address"), connection },
          b: { address: "192.0.2.2", connection },
        },
      };
    });
    expect(await folder.complaints(configuration)).toBe("");
  });
});
