// Writes the conformance vectors of npm's @bufbuild/cel-spec, one JSON object a line: {"section", "test"}.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(process.argv[2] + "/"));
const { tests } = require("@bufbuild/cel-spec/testdata/conformance.js");
const write = (suite, path) => {
  for (const test of suite.tests ?? []) {
    process.stdout.write(JSON.stringify({ section: path.join("/"), test: test.original }) + "\n");
  }
  for (const inner of suite.suites ?? []) write(inner, [...path, inner.name]);
};
write(tests, []);
