/**
 * The command line: its commands, and how it ends. Exit codes: 0 done, 1 it could not be done, 2 wrong usage. For pin, check, review, status
 * and report, 2 is the answer that something is dangerous, not as it should be, or could not be asked.
 */
import { Command, CommanderError } from "commander";
import { FleetFileError } from "../fleet/fleet-file-error";
import { Failure } from "../output/failure";
import { CommandError } from "./errors";
import { packageVersion } from "./package";

type Load = () => Promise<(program: Command) => void>;

/** In the order of the help. Each is loaded only when it is needed: some bring cdktf with them, which takes a while. */
const OTHERS: Readonly<Record<string, Load>> = {
  init: async () => (await import("./init-command.js")).addInit,
  pin: async () => (await import("./pin-command.js")).addPin,
  check: async () => (await import("./check-command.js")).addCheck,
  validate: async () => (await import("./validate-command.js")).addValidate,
  render: async () => (await import("./render-command.js")).addRender,
  review: async () => (await import("./review-command.js")).addReview,
  status: async () => (await import("./status-command.js")).addStatus,
  report: async () => (await import("./report-command.js")).addReport,
  stacks: async () => (await import("./stacks-command.js")).addStacks,
  drift: async () => (await import("./drift-command.js")).addDrift,
  "move-hosts": async () => (await import("./move-hosts-command.js")).addMoveHosts,
};

export const COMMANDS: Readonly<Record<string, Load>> = {
  ...OTHERS,
  completion: async () => {
    const { addCompletion } = await import("./completion-command.js");
    const others = await Promise.all(Object.values(OTHERS).map((load) => load()));
    return (program) => addCompletion(program, (to) => others.forEach((add) => add(to)));
  },
};

export async function run(args: readonly string[]): Promise<number> {
  const program = new Command("ssh-only-firewall")
    .description("Close servers to everything but SSH, through Terraform.")
    .version(packageVersion())
    .showHelpAfterError("Add --help to see the options.")
    .exitOverride();
  const only = COMMANDS[args[0] ?? ""];
  const needed = only === undefined ? Object.values(COMMANDS) : [only];
  (await Promise.all(needed.map((load) => load()))).forEach((add) => add(program));
  try {
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      // It has printed its message.
      return error.exitCode === 0 ? 0 : 2;
    }
    if (error instanceof Failure || error instanceof FleetFileError) {
      process.stderr.write(error.message === "" ? "" : `${error.message}\n`);
      return error instanceof CommandError ? error.exitCode : 1;
    }
    throw error;
  }
}
