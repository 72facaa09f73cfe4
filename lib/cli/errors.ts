/** How a command ends when it cannot do what it was asked. */

/** 1: what it was to work on cannot be used. 2: the command line cannot, or (of a check) something is not as it should be. */
export type FailureCode = 1 | 2;

/** Said to the user as it stands, without a stack trace; empty when all has been said. */
export class CommandError extends Error {
  public constructor(
    message: string,
    public readonly exitCode: FailureCode,
  ) {
    super(message);
    this.name = "CommandError";
  }
}
