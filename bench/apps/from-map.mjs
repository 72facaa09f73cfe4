// A cdktf app with cdktf's own iterator over a map of hosts. Reads fleet.json in the working directory.
import { readFileSync } from "node:fs";
import { App, DataResource, TerraformIterator, TerraformLocal, TerraformStack } from "cdktf";

const { hosts, job } = JSON.parse(readFileSync("fleet.json", "utf8"));
const app = new App();
const stack = new TerraformStack(app, "fleet");
for (const [name, text] of Object.entries(job.locals)) {
  new TerraformLocal(stack, name, text).overrideLogicalId(name);
}
const iterator = TerraformIterator.fromMap(hosts);
new DataResource(stack, "host", {
  forEach: iterator,
  triggersReplace: { ...job.triggers, address: iterator.getString("address") },
  input: { host_key: iterator.getString("host_key") },
  connection: {
    type: "ssh",
    host: "${self.triggers_replace.address}",
    user: "root",
    privateKey: `\${file("${job.privateKeyPath}")}`,
    hostKey: "${self.input.host_key}",
  },
  provisioners: [
    { type: "remote-exec", inline: [job.lock] },
    { type: "remote-exec", inline: [job.confirm] },
    { type: "remote-exec", when: "destroy", inline: [job.unlock] },
  ],
});
app.synth();
