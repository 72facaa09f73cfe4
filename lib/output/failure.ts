/** Why a command cannot do what it was asked: printed as it stands, without a stack trace, with place and remedy; exit code 1. */
export class Failure extends Error {
  public constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}
