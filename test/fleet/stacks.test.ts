import { App, Testing } from "cdktf";
import { defined, items } from "../support/required";
import { parseFleet } from "../../lib/fleet/fleet-file";
import { addStacks, FleetStack } from "../../lib/fleet/fleet-stack";
import { emptyStacksOf, stacksOf } from "../../lib/fleet/stacks";
import { describeProblem } from "../../lib/input/problems";
import { emptyFolder } from "../cli/support/run";

const HOSTS = "hosts: { web-1: 192.0.2.1, web-2: 192.0.2.2, web-3: 192.0.2.3, web-4: 192.0.2.4 }\n";

function problemsOf(text: string): string[] {
  return parseFleet(text).problems.map((problem) => `${problem.line}:${problem.column}: ${describeProblem(problem)}`);
}

/** The stacks, each with its hosts. */
function divided(text: string): Record<string, string[]> {
  expect(problemsOf(text)).toEqual([]);
  return Object.fromEntries(
    stacksOf(parseFleet(text).fleet!).map(({ name, firewall }) => [name, firewall.hosts.map(({ key }) => key)]),
  );
}

function stateOf(text: string, stack: string): unknown {
  expect(problemsOf(text)).toEqual([]);
  const part = stacksOf(parseFleet(text).fleet!).find(({ name }) => name === stack)!;
  const { backend, cloud } = (
    JSON.parse(Testing.synth(new FleetStack(Testing.app(), part))) as { terraform: Record<string, unknown> }
  ).terraform;
  return backend ?? { cloud };
}

describe("a fleet", () => {
  test("that has no setting of stacks is one stack with its own name", () => {
    expect(divided(HOSTS)).toEqual({ fleet: ["web-1", "web-2", "web-3", "web-4"] });
  });

  test("in numbered stacks has every host in one of them, with all that the file says of all hosts", () => {
    const text = `name: old\nstacks: 3\nsshPort: 2222\n${HOSTS}`;
    const parts = divided(text);
    expect(Object.keys(parts)).toEqual(["old-0", "old-1", "old-2"]);
    expect(Object.values(parts).flat().sort()).toEqual(["web-1", "web-2", "web-3", "web-4"]);
    expect(
      stacksOf(parseFleet(text).fleet!).every(({ firewall }) =>
        firewall.hosts.every(({ policy }) => policy.sshPort === 2222),
      ),
    ).toBe(true);
  });

  test("with waves has in every stack those of its hosts, under the numbers that the file gives them", () => {
    const text = `tracker: terraform_data\nstacks: by-group\nwaves: [[a], [b]]\nhosts:
  a: { address: 192.0.2.1, group: x }
  b: { address: 192.0.2.2, group: y }
  c: { address: 192.0.2.3, group: y }
`;
    const [, y] = items(stacksOf(parseFleet(text).fleet!), 2);
    const { resource } = JSON.parse(Testing.synth(new FleetStack(Testing.app(), y), true)) as {
      resource: { terraform_data: Record<string, { depends_on?: string[] }> };
    };
    const isSeal = (name: string): boolean => /_(seal|relock|reseal)_host_/.test(name);
    expect(
      Object.keys(resource.terraform_data)
        .filter((name) => !isSeal(name))
        .sort(),
    ).toEqual(["fleet_hold", "fleet_lockdown", "fleet_lockdown_wave_2", "fleet_ruleset"]);
    expect(defined(resource.terraform_data.fleet_lockdown).depends_on).toEqual([
      "terraform_data.fleet_lockdown_wave_2",
    ]);
  });

  test("by group has a stack for each group, and nothing else sees the group", () => {
    const text = `stacks: by-group
hosts:
  a: &south { address: 192.0.2.1, group: south }
  b: { address: 192.0.2.2, group: north_1 }
  c: { <<: *south, address: 192.0.2.3 }
`;
    expect(divided(text)).toEqual({ "fleet-north_1": ["b"], "fleet-south": ["a", "c"] });
    expect(parseFleet(text).problems).toEqual([]);
  });

  test("makes no stack without a host, and reports which", () => {
    const { fleet } = parseFleet("stacks: 3\nhosts: { web-1: 192.0.2.1 }\n");
    const [made] = items(stacksOf(fleet!), 1);
    expect(stacksOf(fleet!)).toHaveLength(1);
    expect([made.name, ...emptyStacksOf(fleet!)].sort()).toEqual(["fleet-0", "fleet-1", "fleet-2"]);
  });

  test.each([
    [
      "an address in two stacks",
      "stacks: 8\nhosts: { a: 192.0.2.1, b: 192.0.2.1 }\n",
      /^2:24: hosts\.b\.address: .* is the address of a too/,
    ],
    ["no number of stacks", `stacks: 0\n${HOSTS}`, /^1:1: stacks: must be a whole number from 1 to 256, not 0$/],
    ["half a stack", `stacks: 2.5\n${HOSTS}`, /^1:1: stacks: must be a whole number from 1 to 256, not 2\.5$/],
    [
      "more stacks than a matrix holds",
      `stacks: 257\n${HOSTS}`,
      /^1:1: stacks: must be a whole number from 1 to 256, not 257$/,
    ],
    [
      "a number as text",
      `stacks: "8"\n${HOSTS}`,
      /^1:1: stacks: must be a number of stacks, such as 8, or by-group, .*, not "8"$/,
    ],
    ["another word", `stacks: groups\n${HOSTS}`, /^1:1: stacks: .* or by-group, .* not "groups"$/],
    [
      "a name too long with its number",
      `name: ${"x".repeat(62)}\nstacks: 10\n${HOSTS}`,
      /^2:1: stacks: makes the stack's name .* longer than 63/,
    ],
    [
      "a host without a group",
      "stacks: by-group\nhosts: { a: 192.0.2.1 }\n",
      /^2:10: hosts\.a: names no group, .* as in `\{ address: 192\.0\.2\.1, group: north \}`$/,
    ],
    [
      "an object without a group",
      "stacks: by-group\nhosts:\n  a: { address: 192.0.2.1 }\n",
      /^3:3: hosts\.a: names no group, .* of every host; give it one$/,
    ],
    [
      "an empty group",
      "stacks: by-group\nhosts:\n  a: { address: 192.0.2.1, group: '' }\n",
      /^3:28: hosts\.a\.group: "" cannot be part of a stack's name; use letters/,
    ],
    [
      "a group with a slash",
      "stacks: by-group\nhosts:\n  a: { address: 192.0.2.1, group: eu/1 }\n",
      /^3:28: hosts\.a\.group: "eu\/1" cannot be part/,
    ],
    [
      "a group that is a number",
      "stacks: by-group\nhosts:\n  a: { address: 192.0.2.1, group: 1 }\n",
      /^3:28: hosts\.a\.group: 1 cannot be part .*, as text$/,
    ],
    [
      "a group too long",
      `stacks: by-group\nhosts:\n  a: { address: 192.0.2.1, group: ${"x".repeat(60)} }\n`,
      /^3:28: hosts\.a\.group: makes the stack's name .* longer than 63/,
    ],
    [
      "groups that differ in case only",
      "stacks: by-group\nhosts:\n  a: { address: 192.0.2.1, group: eu }\n  b: { address: 192.0.2.2, group: EU }\n",
      /^4:28: hosts\.b\.group: "EU" and "eu" differ in case only/,
    ],
    [
      "a group that says nothing",
      "stacks: 2\nhosts:\n  a: { address: 192.0.2.1, group: eu }\n",
      /^3:28: hosts\.a\.group: has no effect unless the file has `stacks: by-group`/,
    ],
  ])("is refused with %s", (_what, text, problem) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(problem)]);
  });
});

describe("the state of a stack", () => {
  test("is beside the fleet file, where nothing else is said", () => {
    expect(stateOf(HOSTS, "fleet")).toEqual({ local: { path: `${process.cwd()}/terraform.fleet.tfstate` } });
    expect(stateOf(`stacks: 1\n${HOSTS}`, "fleet-0")).toEqual({
      local: { path: `${process.cwd()}/terraform.fleet-0.tfstate` },
    });
  });

  test("has Terraform's own settings, as they stand, with the stack's name", () => {
    const text = `stacks: 1
terraform:
  backend:
    s3:
      bucket: states
      key: old/{stack}.tfstate
      use_lockfile: true
      assume_role: { role_arn: "arn:aws:iam::1:role/x", tags: { CostCenter: "{stack}" } }
${HOSTS}`;
    expect(stateOf(text, "fleet-0")).toEqual({
      s3: {
        bucket: "states",
        key: "old/fleet-0.tfstate",
        use_lockfile: true,
        assume_role: { role_arn: "arn:aws:iam::1:role/x", tags: { CostCenter: "fleet-0" } },
      },
    });
  });

  test.each([
    ["without a backend", ""],
    ["beside a backend", "backend: { s3: { bucket: b, key: k } }, "],
  ])("passes on how OpenTofu encrypts them, %s", (_, backend) => {
    const encryption = {
      key_provider: { pbkdf2: { main: {} } },
      method: { aes_gcm: { m: { keys: "${key_provider.pbkdf2.main}" } } },
      state: { method: "method.aes_gcm.m" },
    };
    const text = `terraform: { ${backend}encryption: ${JSON.stringify(encryption)} }\n${HOSTS}`;
    expect(problemsOf(text)).toEqual([]);
    const [part] = stacksOf(defined(parseFleet(text).fleet));
    const { terraform } = JSON.parse(Testing.synth(new FleetStack(Testing.app(), defined(part)))) as {
      terraform: object;
    };
    expect(terraform).toMatchObject({ encryption, backend: { [backend === "" ? "local" : "s3"]: {} } });
  });

  test("takes no key for them that stands in the file", () => {
    const text = `terraform: { encryption: { key_provider: { pbkdf2: { main: { passphrase: hunter2 } } }, methods: {} } }\n${HOSTS}`;
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(
        /terraform\.encryption\.key_provider\.pbkdf2\.main\.passphrase: is a secret, .*TF_ENCRYPTION/,
      ),
      expect.stringMatching(/terraform\.encryption\.methods: unknown; did you mean method\?/),
    ]);
  });

  test("rejects a variable, which no fleet file has, in place of a key", () => {
    const keys = "{ pbkdf2: { main: { passphrase: '${var.passphrase}' } } }";
    expect(problemsOf(`terraform: { encryption: { key_provider: ${keys} } }\n${HOSTS}`)).toEqual([
      expect.stringMatching(/main\.passphrase: refers to a variable, and .* no variables; .* variable TF_ENCRYPTION$/),
    ]);
  });

  test("in a file is found from where the fleet file is", () => {
    const text = `terraform: { backend: { local: { path: "states/{stack}.tfstate" } } }\n${HOSTS}`;
    expect(stateOf(text, "fleet")).toEqual({ local: { path: `${process.cwd()}/states/fleet.tfstate` } });
  });

  test.each([
    ["name", '{ name: "{stack}", project: old }', { name: "fleet-0", project: "old" }],
    ["tags", '{ tags: [old, "{stack}"] }', { tags: ["old", "fleet-0"] }],
  ])("is a workspace of HCP Terraform, found by its %s", (_what, workspaces, expected) => {
    const text = `stacks: 1\nterraform: { cloud: { organization: acme, workspaces: ${workspaces} } }\n${HOSTS}`;
    expect(stateOf(text, "fleet-0")).toEqual({ cloud: { organization: "acme", workspaces: expected } });
  });

  test.each([
    ["azurerm", 'key: "{stack}"'],
    ["consul", 'path: "old/{stack}"'],
    ["gcs", 'bucket: states, prefix: "{stack}"'],
    ["http", 'address: "https://states.example.com/{stack}"'],
    ["kubernetes", 'secret_suffix: "{stack}"'],
    ["local", 'path: "{stack}.tfstate"'],
    ["pg", 'schema_name: "{stack}"'],
    ["s3", 'key: "{stack}"'],
  ])("with %s is one for each stack, or refused", (kind, settings) => {
    const text = (own: string): string => `stacks: 1\nterraform: { backend: { ${kind}: { ${own} } } }\n${HOSTS}`;
    expect(problemsOf(text(settings))).toEqual([]);
    expect(problemsOf(text(settings.replace("{stack}", "all")))).toEqual([
      expect.stringMatching(
        new RegExp(
          `^2:[0-9]+: terraform\\.backend\\.${kind}: gives all stacks one state; write \\{stack\\}, in quotes`,
        ),
      ),
    ]);
    expect(problemsOf(text(settings.replace("{stack}", "all")).replace("stacks: 1\n", "\n"))).toEqual([]);
  });

  test.each([
    ["access_key: x", "s3", /access_key: is a secret, .* in the environment variable AWS_ACCESS_KEY_ID$/],
    ["secret_key: x", "s3", /secret_key: is a secret, .* in the environment variable AWS_SECRET_ACCESS_KEY$/],
    ["token: x", "s3", /token: is a secret, .* AWS_SESSION_TOKEN$/],
    [
      "assume_role_with_web_identity: { web_identity_token: x }",
      "s3",
      /web_identity_token: is a secret, .* in the environment, as its/,
    ],
    ["sas_token: x", "azurerm", /sas_token: is a secret, .* ARM_SAS_TOKEN$/],
    ["password: x", "http", /password: is a secret, .* TF_HTTP_PASSWORD$/],
    ["address: https://a:b@example.com/x", "http", /address: holds a password, .* \(PGPASSWORD, TF_HTTP_PASSWORD\)$/],
    ["conn_str: postgres://a:b@example.com/x", "pg", /conn_str: holds a password, /],
    ["conn_str: host=db password=b", "pg", /conn_str: holds a password, /],
    ['conn_str: "host=db password = b"', "pg", /conn_str: holds a password, /],
    ["conn_str: host=db sslpassword=b", "pg", /conn_str: holds a password, /],
    ["conn_str: postgres://a:b/c@example.com/x", "pg", /conn_str: holds a password, /],
    ["conn_str: postgresql://example.com/x?password=b", "pg", /conn_str: holds a password, /],
    ["client_certificate: x", "azurerm", /client_certificate: is a secret, .* ARM_CLIENT_CERTIFICATE$/],
    ["exec: { command: x, env: { PASSWORD: x } }", "kubernetes", /exec\.env\.PASSWORD: is a secret, /],
    ["exec: { command: x, env: { API_TOKEN: x } }", "kubernetes", /exec\.env\.API_TOKEN: is a secret, /],
    ["access_token: x", "consul", /access_token: is a secret, .* CONSUL_HTTP_TOKEN$/],
  ])("is refused with the secret %s of %s", (setting, kind, problem) => {
    expect(problemsOf(`terraform: { backend: { ${kind}: { ${setting} } } }\n${HOSTS}`)).toEqual([
      expect.stringMatching(problem),
    ]);
  });

  test.each([
    ["pg", "conn_str: postgres://a@example.com:5432/x?application_name=a@b"],
    ["pg", 'conn_str: "host=db user=password"'],
    ["http", "address: https://example.com:8443/x"],
    ["kubernetes", "exec: { command: x, env: { TOKEN_FILE: /x, AWS_PROFILE: x } }"],
  ])("is not taken for one with a secret: %s of %s", (kind, setting) => {
    expect(problemsOf(`terraform: { backend: { ${kind}: { ${setting} } } }\n${HOSTS}`)).toEqual([]);
  });

  test.each([["lock_address"], ["unlock_address"]])("with http has a %s of its own, where that is set", (name) => {
    const text = (address: string): string =>
      `stacks: 1\nterraform: { backend: { http: { address: "https://x/{stack}", ${name}: "${address}" } } }\n${HOSTS}`;
    expect(problemsOf(text("https://x/{stack}/lock"))).toEqual([]);
    expect(problemsOf(text("https://x/lock"))).toEqual([
      expect.stringMatching(new RegExp(`http\\.${name}: gives all stacks one lock, .* write \\{stack\\}, in quotes`)),
    ]);
    expect(problemsOf(text("https://x/lock").replace("stacks: 1\n", "\n"))).toEqual([]);
  });

  test.each([
    ["nothing", "terraform: {}", /^1:1: terraform: must have one of backend and cloud, and not both$/],
    [
      "both",
      "terraform: { backend: { s3: { key: x } }, cloud: { organization: a, workspaces: { name: b } } }",
      /^1:1: terraform: must have one of/,
    ],
    ["another key", "terraform: { backends: {} }", /^1:14: terraform\.backends: unknown; did you mean backend\?$/],
    [
      "no backend",
      "terraform: { backend: {} }",
      /^1:14: terraform\.backend: must name one backend; known: azurerm, consul, gcs, http, kubernetes, local, pg, s3$/,
    ],
    [
      "two backends",
      "terraform: { backend: { s3: { key: x }, gcs: { bucket: x } } }",
      /backend: must name one backend/,
    ],
    [
      "an unknown backend",
      "terraform: { backend: { s4: { key: x } } }",
      /terraform\.backend\.s4: unknown; did you mean s3\?$/,
    ],
    ["no settings", "terraform: { backend: { s3: x } }", /terraform\.backend\.s3: must have settings below it/],
    ["a template", "terraform: { backend: { s3: { key: '${var.x}' } } }", /s3\.key: .* contains a Terraform template/],
    ["no organization", "terraform: { cloud: { workspaces: { name: x } } }", /cloud\.organization: is missing$/],
    [
      "no workspace",
      "terraform: { cloud: { organization: x, workspaces: {} } }",
      /cloud\.workspaces: must have a name, such as "\{stack\}", or tags/,
    ],
    [
      "tags that are none",
      "terraform: { cloud: { organization: x, workspaces: { tags: x } } }",
      /workspaces\.tags: must be a list of text$/,
    ],
    [
      "one workspace for all stacks",
      "stacks: 2\nterraform: { cloud: { organization: x, workspaces: { name: x } } }",
      /workspaces: gives all stacks one state/,
    ],
    [
      "a token of HCP Terraform",
      "terraform: { cloud: { organization: x, token: x, workspaces: { name: x } } }",
      /token: is a secret, .* TF_TOKEN_app_terraform_io$/,
    ],
  ])("is refused where the file says %s", (_what, settings, problem) => {
    const found = problemsOf(`${settings}\n${HOSTS}`);
    expect(found).toContainEqual(expect.stringMatching(problem));
  });
});

describe("the warnings of synth", () => {
  const warningsOf = (text: string): string[] => {
    const app = new App({ outdir: emptyFolder() });
    addStacks(app, parseFleet(text).fleet!);
    return app.node
      .findAll()
      .flatMap(({ node }) =>
        node.metadata.filter(({ type }) => type === "@cdktf/warn").map(({ data }) => String(data)),
      );
  };

  test("report that several stacks are not to be deployed at once, and how they are", () => {
    expect(warningsOf(`stacks: 2\n${HOSTS}`)).toEqual([
      expect.stringMatching(
        /^These are 2 stacks\. Deploy them one at a time \(cdktf deploy '\*' --parallelism 1\), or each in a job of its own/,
      ),
    ]);
    expect(warningsOf(HOSTS)).toEqual([]);
  });

  test("report which stacks do not wait for the first wave", () => {
    const groups = "hosts:\n  a: { address: 192.0.2.1, group: x }\n  b: { address: 192.0.2.2, group: y }\n";
    const warned = (waves: string): string[] =>
      warningsOf(`stacks: by-group\nwaves: ${waves}\n${groups}`).filter((text) => text.startsWith("Waves"));
    expect(warned("[[a]]")).toEqual([
      expect.stringMatching(/^Waves are in order only within a stack, and fleet-y has no host of the first one: /),
    ]);
    expect(warned("[[a, b]]")).toEqual([]);
    expect(warned("[]")).toEqual([]);
    expect(warningsOf(`waves: [[web-1]]\n${HOSTS}`)).toEqual([]);
  });

  test("report which stack is not written, and what becomes of hosts that it may have had", () => {
    expect(warningsOf("stacks: 2\nhosts: { web-1: 192.0.2.1 }\n")).toEqual([
      expect.stringMatching(
        /^No host belongs to fleet-[01], so nothing is written for it\. If it had a host before, that host stays locked/,
      ),
    ]);
  });
});
