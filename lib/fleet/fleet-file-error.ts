/** Thrown for a file that is no fleet; says all that is wrong, one line each. Apart, because it is caught where no fleet is read. */
export class FleetFileError extends Error {
  public constructor(public readonly lines: readonly string[]) {
    super(lines.join("\n"));
    this.name = "FleetFileError";
  }
}
