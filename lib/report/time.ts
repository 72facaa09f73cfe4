/** Times in UTC, without the fraction of a second, which no source here knows. */
import { count } from "../output/text";

/** The last that is written with a year of four digits. */
const LAST_MS = 253_402_300_799_000;

export function utc(ms: number): string | null {
  return ms >= 0 && ms <= LAST_MS ? new Date(ms).toISOString().replace(/\.\d+Z$/, "Z") : null;
}

/** Of seconds since 1970, in decimal digits. */
export function utcOfSeconds(text: string): string | null {
  return /^\d{1,12}$/.test(text) ? utc(Number(text) * 1000) : null;
}

/** Of ISO 8601 with a zone: also as journalctl writes it, without a colon in the zone. */
export function utcOfIso(text: string): string | null {
  const [, time, zone] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,]\d{1,9})?(Z|[+-]\d\d:?\d\d)$/.exec(text) ?? [];
  const ms = Date.parse(`${time}${zone?.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2")}`);
  return Number.isNaN(ms) ? null : utc(ms);
}

const UNITS = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
] as const;

/** For people: "30 days", "1.5 hours", "10 seconds". */
export function duration(seconds: number): string {
  const [unit, size] = UNITS.find(([, one]) => seconds >= one) ?? ["second", 1];
  return count(Math.round((seconds / size) * 10) / 10, unit);
}
