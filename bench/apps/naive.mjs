// A cdktf app as people write it first: a loop, and one resource a host. Reads fleet.json in the working directory.
import { readFileSync } from "node:fs";
import { App, TerraformLocal, TerraformStack } from "cdktf";
import { tracking } from "./tracking.mjs";

const { hosts, job } = JSON.parse(readFileSync("fleet.json", "utf8"));
// Each terraform_data would run `terraform version`, and take longer than all the rest.
const app = new App({ skipValidation: true });
const stack = new TerraformStack(app, "fleet");
const { Resource, triggers } = tracking(stack, job.tracker);
for (const [name, text] of Object.entries(job.locals)) {
  new TerraformLocal(stack, name, text).overrideLogicalId(name);
}
for (const [name, host] of Object.entries(hosts)) {
  const ofHost = (text) => text.replaceAll("each.key", JSON.stringify(name));
  new Resource(stack, name, {
    [triggers]: { ...job.triggers, address: host.address },
    connection: {
      type: "ssh",
      host: host.address,
      user: "root",
      privateKey: `\${file("${job.privateKeyPath}")}`,
      hostKey: host.host_key,
    },
    provisioners: [
      { type: "remote-exec", inline: [ofHost(job.lock)] },
      { type: "remote-exec", inline: [job.confirm] },
      { type: "remote-exec", when: "destroy", inline: [job.unlock] },
    ],
  });
}
app.synth();
