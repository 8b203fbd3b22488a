// The npm packages that the tests use, from the directory NHS_AUTH_TEST_NODE_MODULES, since an
// import would look beside the importing file alone.

import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const nodeModules = process.env.NHS_AUTH_TEST_NODE_MODULES;
if (nodeModules === undefined) {
  console.error("NHS_AUTH_TEST_NODE_MODULES must name the folder that has the packages");
  process.exit(2);
}
const require = createRequire(resolve(nodeModules, "any.js"));

/** Imports a package. */
export function installed(name) {
  return import(pathToFileURL(pathOf(name)));
}

/** The file that an import of a package would read. */
export function pathOf(name) {
  return require.resolve(name);
}
