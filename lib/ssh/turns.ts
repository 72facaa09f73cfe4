/** Which host is asked next. */
import pLimit from "p-limit";

/** A host that has not answered by then gives up its turn, and its answer is still awaited. */
const PATIENCE_MS = 3000;
/** sshd begins to reject connections at ten logins that are under way. */
const MOST_AT_A_BASTION = 8;

type Limit = ReturnType<typeof pLimit>;

export class Turns {
  private readonly all: Limit;
  private readonly bastions = new Map<string, Limit>();

  public constructor(concurrency: number) {
    this.all = pLimit(concurrency);
  }

  public async take<T>(bastion: string | undefined, action: () => Promise<T>): Promise<T> {
    const inTurn = (): Promise<[Promise<T>]> => this.all(() => patiently(action));
    const [done] = await (bastion === undefined ? inTurn() : this.at(bastion)(inTurn));
    return done;
  }

  private at(bastion: string): Limit {
    const turns = this.bastions.get(bastion) ?? pLimit(MOST_AT_A_BASTION);
    this.bastions.set(bastion, turns);
    return turns;
  }
}

/** Ends with the action, or when patience does; in a list, because awaiting a promise would await the action. */
async function patiently<T>(action: () => Promise<T>): Promise<[Promise<T>]> {
  const running = action();
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
  await Promise.race([running, patience]).finally(() => clearTimeout(timer));
  return [running];
}
