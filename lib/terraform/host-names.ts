/** The names of the hosts, where a review of a plan finds them whatever the plan covers: in the default of a variable. */
import { TerraformElement } from "../framework/framework";
import { HOST_NAMES, joinHostNames } from "../contract/names";
import type { Context } from "./context";

export class HostNames extends TerraformElement {
  public constructor(private readonly context: Context) {
    super(context.scope, "host-names");
  }

  public override toTerraform(): unknown {
    const { hosts } = this.context.configuration;
    return {
      variable: {
        [this.context.name(HOST_NAMES)]: {
          type: "string",
          description: "The hosts of this configuration, for reviews of partial plans. Setting it has no effect.",
          default: joinHostNames(hosts.map(({ key }) => key)),
        },
      },
    };
  }
}
