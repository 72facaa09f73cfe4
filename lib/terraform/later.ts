/** What is made when the stack is written. */
import { type IResolvable, type IResolveContext, Token } from "cdktf";

/** As cdktf's Lazy, which takes a stack trace for each: in a fleet of many shards, longer than all else. */
export class Later implements IResolvable {
  public readonly creationStack: string[] = [];

  public constructor(private readonly produce: (context: IResolveContext) => unknown) {}

  public resolve(context: IResolveContext): unknown {
    return this.produce(context);
  }

  public toString(): string {
    return Token.asString(this);
  }
}

/** A value without tokens, in which cdktf would look for some at every string of every host. */
export function withoutTokens(value: unknown, context: IResolveContext): unknown {
  context.registerPostProcessor({ postProcess: () => value });
  return undefined;
}
