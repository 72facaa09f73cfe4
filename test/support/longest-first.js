/** Files that take minutes start first, so that no worker is alone with one in the end. All others as Jest has them. */
const Sequencer = require("@jest/test-sequencer").default;

const LONGEST =
  "leases boot fleet cut review review-of-others managers rollback verbs again drift preflight traffic plan killed evidence".split(
    " ",
  );

module.exports = class extends Sequencer {
  sort(tests) {
    const place = (test) => {
      const index = LONGEST.findIndex((name) => test.path.endsWith(`/${name}.test.ts`));
      return index < 0 ? LONGEST.length : index;
    };
    return [...super.sort(tests)].sort((a, b) => place(a) - place(b));
  }
};
