/** A stand-in for the provider hashicorp/external: its data source runs a program, and is what the program prints. */
import { decode, encode } from "@msgpack/msgpack";
import type { RunResult } from "./run";
import { type Calls, json, StandIn, type Value } from "./provider";

export const externalProviderSource = "registry.terraform.io/hashicorp/external";

/** Runs a program where Terraform runs, with that standard input. */
export type RunProgram = (program: readonly string[], input: string) => Promise<RunResult>;

/** Its socket is made in the folder. */
export function startExternalProvider(folder: string, run: RunProgram): Promise<StandIn> {
  return StandIn.start(folder, externalProviderSource, callsWith(run));
}

interface External {
  readonly program: readonly string[];
  readonly query: Record<string, string> | null;
}

const text = json("string");
const texts = json(["map", "string"]);
const schema = {
  version: 0,
  block: {
    attributes: [
      { name: "id", type: text, computed: true },
      { name: "program", type: json(["list", "string"]), required: true },
      { name: "query", type: texts, optional: true },
      { name: "result", type: texts, computed: true },
      { name: "working_dir", type: text, optional: true },
    ],
  },
};

function callsWith(run: RunProgram): Calls {
  return {
    GetSchema: () => ({ provider: { version: 0, block: {} }, data_source_schemas: { external: schema } }),
    PrepareProviderConfig: (request: { config: Value }) => ({ prepared_config: request.config }),
    Configure: () => ({}),
    Stop: () => ({}),
    ValidateDataSourceConfig: () => ({}),
    ReadDataSource: async (request: { config: Value }) => {
      const config = decode(request.config.msgpack) as External;
      const { code, stdout, stderr } = await run(config.program, JSON.stringify(config.query ?? {}));
      const result = code === 0 ? resultIn(stdout) : undefined;
      return result === undefined
        ? { diagnostics: [{ severity: 1, summary: "External Program Execution Failed", detail: stderr || stdout }] }
        : { state: { msgpack: encode({ ...config, id: "-", result }) } };
    },
  };
}

/** Undefined where it is no object of texts, which the real one refuses too. */
function resultIn(stdout: string): Record<string, string> | undefined {
  try {
    const result = JSON.parse(stdout) as unknown;
    const values = typeof result === "object" && result !== null ? Object.values(result) : [0];
    return values.every((value) => typeof value === "string") ? (result as Record<string, string>) : undefined;
  } catch {
    return undefined;
  }
}
