import js from "@eslint/js";
import { importX } from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

// Imports run one way down (ARCHITECTURE.md, "Layers"); each zone may not import from the folders above it.
const layers = ["policy", "ruleset", "host", "terraform", "construct", "fleet", "review", "status", "report", "cli"];
const construct = ["index.ts", "ssh-only-firewall.ts", "resources"].map((path) => `./lib/${path}`);
const filesOf = (layer) => (layer === "construct" ? construct : [`./lib/${layer}`]);
const mayUse = {
  policy: [],
  ruleset: ["policy"],
  host: [],
  terraform: ["policy", "host"],
  construct: ["policy", "ruleset", "host", "terraform"],
  fleet: ["construct", "policy", "ruleset", "terraform"],
  review: ["policy"],
  status: ["review", "host", "policy"],
  report: ["status", "host", "policy"],
  cli: ["fleet", "review", "status", "report", "construct", "policy", "ruleset", "host"],
};
const message = "Imports run one way down: see ARCHITECTURE.md, Layers.";
const zones = [
  ...layers.map((layer) => ({
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
      "import-x/no-cycle": "error",
      eqeqeq: "error",
    },
  },
);
