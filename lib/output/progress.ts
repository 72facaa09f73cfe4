/** One line on a terminal, written over itself. */
import { count } from "./text";

const CLEAR = "\r\u001b[K";

export class Progress {
  private done = 0;
  private notable = 0;
  private readonly isShown = process.stderr.isTTY === true;

  /** @param notableAs what the notable hosts among those asked are, such as "unreachable" */
  public constructor(
    private readonly all: number,
    private readonly notableAs: string,
  ) {
    this.show();
  }

  public add(isNotable: boolean): void {
    this.done += 1;
    this.notable += Number(isNotable);
    this.show();
  }

  public clear(): void {
    this.write("");
  }

  private show(): void {
    const { done, all, notable, notableAs } = this;
    this.write(`${done} of ${count(all, "host")} asked${notable === 0 ? "" : `, ${notable} ${notableAs}`}`);
  }

  private write(line: string): void {
    if (this.isShown) {
      process.stderr.write(CLEAR + line);
    }
  }
}
