/** What a test relies on: a value that may be missing for the compiler, and must not be for the test. */

type AtLeast<T, N extends number, Found extends T[] = []> = Found["length"] extends N
  ? [...Found, ...T[]]
  : AtLeast<T, N, [...Found, T]>;

/** The value, which is there. @param what names it in the error */
export function defined<T>(value: T | undefined, what = "value"): T {
  if (value === undefined) {
    throw new Error(`The ${what} is undefined.`);
  }
  return value;
}

/** The list, which has so many items or more: `const [host, peer] = items(all, 2)`. */
export function items<T, N extends number>(list: Iterable<T>, count: N): AtLeast<T, N> {
  const all = [...list];
  if (all.length < count) {
    throw new Error(`There are ${all.length} items and not ${count}: ${JSON.stringify(all)}`);
  }
  return all as AtLeast<T, N>;
}

type WithoutUndefined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The object without what is undefined in it: as if it had not been given. */
export function withoutUndefined<T extends object>(values: T): WithoutUndefined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as WithoutUndefined<T>;
}
