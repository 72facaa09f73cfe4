/** What is made when the stack is written. */
import { type IResolvable, type IResolveContext, Token } from "../framework/framework";

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

/** A token that stands for itself. Inherited, so that an object of which it makes one has no other properties than its own. */
const itself: IResolvable = {
  creationStack: [],
  resolve({ scope, registerPostProcessor }: IResolveContext): undefined {
    // A stack that has overrides would not merge them into a token.
    const { rawOverrides } = scope as unknown as { readonly rawOverrides?: object };
    const isOverridden = Object.keys(rawOverrides ?? {}).length > 0;
    registerPostProcessor({ postProcess: () => (isOverridden ? { ...this } : this) });
  },
  toString: () => "an object without tokens",
};

/**
 * An object without tokens. cdktf would look for some at every string of every host, three times, if it did not take the whole
 * for a token; to everybody else it has the properties of the object.
 */
export function withoutTokens(value: object): object {
  return Object.assign(Object.create(itself) as object, value);
}
