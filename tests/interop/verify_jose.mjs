// Verifies a client assertion, read from standard input, with the npm package `jose`.
//
// Prints its header and claims as one line of JSON. An assertion that doesn't verify
// is told on standard error, with exit code 1.
//
//     verify_jose.mjs JWKS_FILE AUDIENCE ISSUER < assertion
//
// `jose` is looked for in the directory NHS_AUTH_TEST_NODE_MODULES, since an import
// would look beside this file alone.

import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [jwksFile, audience, issuer] = process.argv.slice(2);
const nodeModules = process.env.NHS_AUTH_TEST_NODE_MODULES;
if (issuer === undefined || nodeModules === undefined) {
  console.error(
    "usage: NHS_AUTH_TEST_NODE_MODULES=DIR verify_jose.mjs JWKS_FILE AUDIENCE ISSUER < assertion",
  );
  process.exit(2);
}

globalThis.crypto ??= webcrypto; // Node 18 has it under the module's name only
const { createLocalJWKSet, jwtVerify } = await importFrom(nodeModules, "jose");

const keys = createLocalJWKSet(JSON.parse(readFileSync(jwksFile, "utf8")));
const assertion = readFileSync(0, "utf8").trim();
try {
  const verified = await jwtVerify(assertion, keys, {
    algorithms: ["RS512"],
    audience,
    issuer,
    requiredClaims: ["aud", "exp", "iss"],
  });
  console.log(JSON.stringify({ header: verified.protectedHeader, claims: verified.payload }));
} catch (error) {
  console.error(`jose refuses the assertion: ${error.code}: ${error.message}`);
  process.exitCode = 1;
}

function importFrom(nodeModules, name) {
  const require = createRequire(resolve(nodeModules, "any.js"));
  return import(pathToFileURL(require.resolve(name)));
}
