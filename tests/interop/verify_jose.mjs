// Verifies a client assertion, read from standard input, with the npm package `jose`.
//
// Prints its header and claims as one line of JSON. An assertion that doesn't verify
// is told on standard error, with exit code 1.
//
//     verify_jose.mjs JWKS_FILE AUDIENCE ISSUER < assertion

import { readFileSync } from "node:fs";

import { installed } from "./packages.mjs";

const [jwksFile, audience, issuer] = process.argv.slice(2);
if (issuer === undefined) {
  console.error("usage: verify_jose.mjs JWKS_FILE AUDIENCE ISSUER < assertion");
  process.exit(2);
}

const { createLocalJWKSet, jwtVerify } = await installed("jose");

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
