/** Reading JSON whose form is only hoped for: each value knows its place, for the message when it is something else. */
import { isObject } from "./keys";
import { kindOf } from "../output/text";

/** What cannot be read: the place in the file, and what was expected there. */
export class UnreadableError extends Error {
  public constructor(message: string) {
    super(message);
    this.name = "UnreadableError";
  }
}

/** A value in a JSON document. What is absent or null is `undefined` to every reader but the strict ones. */
export class Node {
  public constructor(
    public readonly value: unknown,
    public readonly place = "",
  ) {}

  /** The member of that name; undefined values come of absent ones, also where this is no object. */
  public at(name: string): Node {
    const own = isObject(this.value) && Object.hasOwn(this.value, name) ? this.value[name] : undefined;
    return new Node(own, this.place === "" ? name : `${this.place}.${name}`);
  }

  public get isAbsent(): boolean {
    return this.value === undefined || this.value === null;
  }

  public text(): string {
    return typeof this.value === "string" ? this.value : this.refuse("text");
  }

  public optionalText(): string | undefined {
    return this.isAbsent ? undefined : this.text();
  }

  /** False where it is absent. */
  public flag(): boolean {
    return this.isAbsent ? false : typeof this.value === "boolean" ? this.value : this.refuse("true or false");
  }

  /** Empty where it is absent. */
  public list(): readonly Node[] {
    if (this.isAbsent) {
      return [];
    }
    return Array.isArray(this.value)
      ? this.value.map((one, index) => new Node(one, `${this.place}[${index}]`))
      : this.refuse("a list");
  }

  /** Empty where it is absent. */
  public members(): ReadonlyArray<readonly [string, Node]> {
    if (this.isAbsent) {
      return [];
    }
    return isObject(this.value)
      ? Object.keys(this.value).map((name) => [name, this.at(name)])
      : this.refuse("an object");
  }

  public refuse(expected: string): never {
    // Of the value itself only its kind is said: it could be a secret.
    const found = typeof this.value === "string" ? "text" : kindOf(this.value);
    throw new UnreadableError(`${this.place === "" ? "the document" : this.place}: must be ${expected}, not ${found}`);
  }
}
