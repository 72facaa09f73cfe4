// The kind of resource that stands for a host, and what its triggers are called.
import { createRequire } from "node:module";
import { DataResource } from "cdktf";

// As ours does: the whole package takes longer to load.
const require = createRequire(import.meta.url);
const { NullProvider } = require("@cdktf/provider-null/lib/provider");
const { Resource: NullResource } = require("@cdktf/provider-null/lib/resource");

export function tracking(stack, tracker) {
  if (tracker === "terraform_data") {
    return { Resource: DataResource, triggers: "triggersReplace", inTerraform: "triggers_replace" };
  }
  new NullProvider(stack, "null");
  return { Resource: NullResource, triggers: "triggers", inTerraform: "triggers" };
}
