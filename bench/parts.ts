/** The parts, in the order of RESULTS.md. */
import { check } from "./check";
import { deploy, deploy200 } from "./deploy";
import { flood } from "./flood";
import { flow } from "./flow";
import { gap } from "./gap";
import type { Part } from "./part";
import { plan, plan10000, planFromMap } from "./plan";
import { status } from "./status";
import { synth } from "./synth";
import { verbs } from "./verbs";

export const PARTS: readonly Part[] = [
  synth,
  plan,
  plan10000,
  planFromMap,
  deploy,
  deploy200,
  verbs,
  flow,
  flood,
  gap,
  status,
  check,
];
