/** For sort: by code unit, the same on every machine. */
export const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
