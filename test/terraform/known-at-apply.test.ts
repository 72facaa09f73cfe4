/** Values that only the apply knows, through the real Terraform: what is no address stops it before a host hears of it. */
import { Lazy, TerraformElement, type TerraformStack, Token } from "cdktf";
import { AllowedSource, PolicyException, SshOnlyFirewall, type SshOnlyFirewallProps } from "../../lib/index";
import { configurationOf, stackOf, synth } from "../construct/support/configuration";
import { describeWith, Folder } from "./support/real-tools";

jest.setTimeout(120_000);

/** Known when it is made, and not before. */
class Source extends TerraformElement {
  public constructor(
    stack: TerraformStack,
    id: string,
    private readonly value: string,
  ) {
    super(stack, id);
  }

  public get token(): string {
    return `\${terraform_data.${this.node.id}.output}`;
  }

  public override toTerraform(): unknown {
    return { resource: { terraform_data: { [this.node.id]: { input: this.value } } } };
  }
}

type Props = Omit<SshOnlyFirewallProps, "hosts" | "tracker">;

const hosts = { "web-1": { address: "192.0.2.1", connection: { timeoutSeconds: 1 } } };

describeWith("Terraform", ["terraform"], () => {
  const folder = new Folder();
  afterAll(() => folder.remove());

  function applied(props: (known: (value: string) => string) => Props, ...args: string[]) {
    const stack = stackOf((scope) => {
      let made = 0;
      const known = (value: string): string => {
        const source = new Source(scope, `source-${++made}`, value);
        return Token.asString(Lazy.stringValue({ produce: () => source.token }));
      };
      new SshOnlyFirewall(scope, "firewall", { hosts, tracker: "terraform_data", ...props(known) });
    });
    return folder.apply(configurationOf(stack), ...args);
  }

  test("stops before the ruleset is made, and names each value that is no address, and where it stands", async () => {
    const { code, text } = await applied((known) => ({
      allowFrom: [
        AllowedSource.ipv4(known("192.0.2.10")),
        ...["bastion.example", "0.0.0.0/0 accept; #", "", "192.0.2.010", "192.0.2.0/33", "192.0.2.1\n192.0.2.2"].map(
          (value) => AllowedSource.ipv4(known(value)),
        ),
        AllowedSource.ipv4(`${known("203.0.113.0")}/24`),
        AllowedSource.ipv4(`${known("198.51.100.0/24")}/24`),
        ...["2001:db8::1", "2001:db8::/32"].map((value) => AllowedSource.ipv6(known(value))),
        ...["192.0.2.11", "2001:db8:::1", "2001:db8::/129"].map((value) => AllowedSource.ipv6(known(value))),
      ],
      exceptions: [PolicyException.dns([AllowedSource.ipv4(known("resolver.example"))])],
    }));
    const said = text.replace(/\s+/g, " ");
    expect(code).toBe(1);
    const named = [...said.matchAll(/In the ruleset shared, a value of (.*?), which is not an (IPv[46]) address/g)];
    expect(named.map(([, what, family]) => `${family}: ${what}`).sort()).toEqual([
      'IPv4: allowFrom is ""',
      'IPv4: allowFrom is "0.0.0.0/0 accept; #"',
      'IPv4: allowFrom is "192.0.2.0/33"',
      'IPv4: allowFrom is "192.0.2.010"',
      'IPv4: allowFrom is "192.0.2.1\\n192.0.2.2"',
      'IPv4: allowFrom is "198.51.100.0/24/24"',
      'IPv4: allowFrom is "bastion.example"',
      'IPv4: exceptions (dns) is "resolver.example"',
      'IPv6: allowFrom is "192.0.2.11"',
      'IPv6: allowFrom is "2001:db8::/129"',
      'IPv6: allowFrom is "2001:db8:::1"',
    ]);
    expect(text).not.toMatch(/firewall_(ruleset|lockdown).*Creating/);
  });

  test("goes on where every value is an address or a range of its family", async () => {
    const { code, text } = await applied(
      (known) => ({
        allowFrom: [
          ...["192.0.2.10", "0.0.0.0/0", "192.0.2.0/24"].map((value) => AllowedSource.ipv4(known(value))),
          ...["2001:db8::10", "::/0", "::1:2"].map((value) => AllowedSource.ipv6(known(value))),
        ],
        exceptions: [PolicyException.ping()],
      }),
      "-target=terraform_data.firewall_ruleset",
    );
    expect(text).toMatch(/firewall_ruleset\["shared"\]: Creation complete/);
    expect(code).toBe(0);
  });
});

test("a firewall without tokens has nothing for Terraform to check", () => {
  const text = JSON.stringify(synth({ hosts, allowFrom: ["192.0.2.0/24"] }));
  expect(text).not.toMatch(/precondition|known_at_apply/);
});
