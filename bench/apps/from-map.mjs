// A cdktf app with cdktf's own iterator over a map of hosts. Reads fleet.json in the working directory.
import { readFileSync } from "node:fs";
import { App, TerraformIterator, TerraformLocal, TerraformStack } from "cdktf";
import { tracking } from "./tracking.mjs";

const { hosts, job } = JSON.parse(readFileSync("fleet.json", "utf8"));
// Each terraform_data would run `terraform version`, and take longer than all the rest.
const app = new App({ skipValidation: true });
const stack = new TerraformStack(app, "fleet");
const { Resource, triggers, inTerraform } = tracking(stack, job.tracker);
for (const [name, text] of Object.entries(job.locals)) {
  new TerraformLocal(stack, name, text).overrideLogicalId(name);
}
const iterator = TerraformIterator.fromMap(hosts);
new Resource(stack, "host", {
  forEach: iterator,
  [triggers]: {
    ...job.triggers,
    address: iterator.getString("address"),
    host_key: iterator.getString("host_key"),
  },
  connection: {
    type: "ssh",
    host: `\${self.${inTerraform}.address}`,
    user: "root",
    privateKey: `\${file("${job.privateKeyPath}")}`,
    hostKey: `\${self.${inTerraform}.host_key}`,
  },
  provisioners: [
    { type: "remote-exec", inline: [job.lock] },
    { type: "remote-exec", inline: [job.confirm] },
    { type: "remote-exec", when: "destroy", inline: [job.unlock] },
  ],
});
app.synth();
