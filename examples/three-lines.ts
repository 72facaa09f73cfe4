/** The least that locks a host: `cdktf deploy` with `"app": "npx tsx three-lines.ts"` in cdktf.json. */
import { App, TerraformStack } from "cdktf";
import { SshOnlyFirewall } from "cdktf-ssh-only-firewall";

const app = new App();
const stack = new TerraformStack(app, "old-servers");
new SshOnlyFirewall(stack, "fleet", { allowFrom: ["198.51.100.0/24"], hosts: { "web-1": "192.0.2.10" } });
app.synth();
