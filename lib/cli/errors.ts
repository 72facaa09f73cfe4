/** How a command ends when it cannot do what it was asked. */
import type { Command } from "commander";
import { Failure } from "../output/failure";

/** 1: its input cannot be used. 2 and 3: its command line cannot, or (of a check) something is not as it should be. */
export type FailureCode = 1 | 2 | 3;

/** Its message is empty when all has been printed. */
export class CommandError extends Failure {
  public constructor(
    message: string,
    public readonly exitCode: FailureCode,
  ) {
    super(message);
  }
}

/** For commands with exit code 2 as an answer: a program must not take a mistyped option for one. */
export function endWith1OnWrongUsage(command: Command, message: string): void {
  command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : new CommandError(message, 1);
  });
}
