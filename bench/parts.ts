/** The parts, in the order of RESULTS.md. */
import type { Part } from "./part";
import { plan, plan10000, planFromMap } from "./plan";
import { synth } from "./synth";

export const PARTS: readonly Part[] = [synth, plan, plan10000, planFromMap];
