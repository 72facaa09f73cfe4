/** Three levels of proof: pure (text in, text out), program (the host program under three shells), lab (real everything). */
const common = {
  transform: { "^.+\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2022" } }] },
  testEnvironment: "node",
  // cdktf and the packed package leave copies of package.json behind.
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/cdktf.out"],
};

module.exports = {
  testSequencer: "<rootDir>/test/support/longest-first.js",
  projects: [
    {
      ...common,
      displayName: "pure",
      globalSetup: "<rootDir>/test/support/temporary-folder.js",
      globalTeardown: "<rootDir>/test/support/remove-temporary-folder.js",
      testMatch: ["<rootDir>/test/**/*.test.ts"],
      testPathIgnorePatterns: ["<rootDir>/test/program/", "<rootDir>/test/lab/", "<rootDir>/test/e2e/"],
      // The command line imports its commands by the names that they have when they are compiled.
      moduleNameMapper: { "^(\\./[a-z-]+-command)\\.js$": "$1" },
    },
    {
      ...common,
      // The construct, once more on the other framework.
      displayName: "cdktn",
      globalSetup: "<rootDir>/test/support/temporary-folder.js",
      globalTeardown: "<rootDir>/test/support/remove-temporary-folder.js",
      testMatch: ["<rootDir>/test/construct/*.test.ts"],
      testPathIgnorePatterns: ["<rootDir>/test/construct/properties.test.ts"],
      moduleNameMapper: {
        "^cdktf$": "cdktn",
        "/null-provider$": "<rootDir>/lib/framework/plain-null-provider.ts",
      },
    },
    { ...common, displayName: "program", testMatch: ["<rootDir>/test/program/**/*.test.ts"] },
    {
      ...common,
      displayName: "lab",
      testMatch: ["<rootDir>/test/{lab,e2e}/**/*.test.ts"],
      // Which take minutes each, and have a command of their own.
      testPathIgnorePatterns: process.env.TOOLCHAINS === "all" ? [] : ["<rootDir>/test/e2e/toolchains.test.ts"],
    },
  ],
};
