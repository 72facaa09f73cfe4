import js from "@eslint/js";
import { importX } from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

// Imports run one way down (ARCHITECTURE.md, "Layers"); each zone may not import from the folders above it.
const mayUse = {
  output: [],
  contract: [],
  framework: [],
  input: ["framework", "output", "contract"],
  policy: ["framework", "input", "output", "contract"],
  ruleset: ["policy", "input", "output", "contract"],
  host: ["contract"],
  terraform: ["framework", "ruleset", "host", "policy", "input", "output", "contract"],
  construct: ["framework", "terraform", "ruleset", "host", "policy", "input", "output", "contract"],
  fleet: ["framework", "construct", "terraform", "state", "ruleset", "policy", "input", "output", "contract"],
  state: ["input", "output", "contract"],
  ssh: ["state", "host", "input", "output", "contract"],
  review: ["ruleset", "policy", "input", "output", "contract"],
  status: ["ssh", "state", "ruleset", "host", "input", "output", "contract"],
  report: ["status", "ssh", "state", "ruleset", "host", "input", "output", "contract"],
  check: ["ssh", "state", "ruleset", "host", "policy", "input", "output", "contract"],
  cli: [
    "check",
    "fleet",
    "review",
    "report",
    "status",
    "ssh",
    "state",
    "construct",
    "terraform",
    "ruleset",
    "host",
    "policy",
    "input",
    "output",
    "contract",
  ],
};
const layers = Object.keys(mayUse);
const construct = ["index.ts", "ssh-only-firewall.ts"].map((path) => `./lib/${path}`);
const filesOf = (layer) => (layer === "construct" ? construct : [`./lib/${layer}`]);
const message = "Imports run one way down: see ARCHITECTURE.md, Layers.";
const zones = [
  ...layers
    .filter((layer) => mayUse[layer].length < layers.length - 1)
    .map((layer) => ({
      target: filesOf(layer),
      from: layers.filter((other) => other !== layer && !mayUse[layer].includes(other)).flatMap(filesOf),
      message,
    })),
  { target: "./lib", from: ["./bin", "./test"], message },
];

export default tseslint.config(
  { ignores: ["dist", "cdktf.out", "node_modules", "coverage", "jest.config.js", "test/support/*.js"] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ["**/*.ts"],
    plugins: { "import-x": importX },
    settings: { "import-x/resolver": { node: { extensions: [".ts", ".js"] } } },
    rules: {
      "import-x/no-restricted-paths": ["error", { zones }],
      eqeqeq: "error",
    },
  },
  {
    // Each entry of the package has a framework of its own.
    files: ["lib/**/*.ts", "bin/**/*.ts"],
    ignores: ["lib/framework/{framework,null-provider}.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ group: ["cdktf", "cdktn", "@cdktf/*"], message: "The framework comes from lib/framework." }] },
      ],
    },
  },
  {
    // What a reader sees on one screen, and reads in one sitting.
    files: ["lib/**/*.ts"],
    rules: {
      "max-lines-per-function": ["error", 40],
      "max-lines": ["error", 300],
      "max-params": ["error", 4],
    },
  },
);
