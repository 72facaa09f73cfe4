import js from "@eslint/js";
import { importX } from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

// Imports run one way down (ARCHITECTURE.md, "Layers"); each zone may not import from the folders above it.
const layer = (target, ...from) => ({ target, from, message: "Imports run one way down: see ARCHITECTURE.md." });
const zones = [
  layer("./lib/policy", "./lib/ruleset", "./lib/host", "./lib/terraform", "./lib/fleet", "./lib/cli", "./lib/*.ts"),
  layer("./lib/ruleset", "./lib/host", "./lib/terraform", "./lib/fleet", "./lib/cli", "./lib/*.ts"),
  layer("./lib/host", "./lib/policy", "./lib/ruleset", "./lib/terraform", "./lib/fleet", "./lib/cli", "./lib/*.ts"),
  layer("./lib/terraform", "./lib/policy", "./lib/ruleset", "./lib/host", "./lib/fleet", "./lib/cli", "./lib/*.ts"),
  layer("./lib/*.ts", "./lib/fleet", "./lib/cli"),
  layer("./lib/fleet", "./lib/cli"),
  layer("./lib", "./bin", "./test"),
];

export default tseslint.config(
  { ignores: ["dist", "cdktf.out", "node_modules", "coverage", "jest.config.js"] },
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
