// Signs a user in with the npm package `openid-client`.
//
//     openid_client.mjs BASE_URL cis2|nhs-login USERNAME [--default-audience]
//
// Prints one line of JSON: the claims of the ID token, which the package has verified by the
// provider's JWKS, the user info, and the client's ID. A refusal is told on standard error, with
// exit code 1. At CIS2 the client has a secret, at NHS login a key, for that is all that NHS login
// takes.

import { webcrypto } from "node:crypto";

import { installed } from "./packages.mjs";
import { control, signIn } from "./sign_in.mjs";

const REDIRECT_URI = "https://app.test/callback";
const CIS2 = "/openam/oauth2/realms/root/realms/NHSIdentity/realms/Healthcare";
const NHS_LOGIN = "/nhs-login";

const [baseUrl, provider, username, option] = process.argv.slice(2);
if (username === undefined) {
  console.error("usage: openid_client.mjs BASE_URL cis2|nhs-login USERNAME [--default-audience]");
  process.exit(2);
}

const oidc = await installed("openid-client");
const journey = { cis2, "nhs-login": nhsLogin }[provider];
try {
  console.log(JSON.stringify(await journey()));
} catch (error) {
  if (!(error instanceof oidc.ResponseBodyError)) throw error;
  console.error(`${error.error}: ${error.error_description}`);
  process.exitCode = 1;
}

async function cis2() {
  const client = await register({ token_endpoint_auth_method: "client_secret_post" });
  const config = await discover(
    CIS2,
    client.client_id,
    { client_secret: client.client_secret },
    oidc.ClientSecretPost(),
  );
  return signedIn(config, { scope: "openid profile", acr_values: "AAL3_ANY", max_age: "300" });
}

async function nhsLogin() {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" };
  const size = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const keys = await webcrypto.subtle.generateKey({ ...algorithm, ...size }, true, [
    "sign",
    "verify",
  ]);
  const jwk = await webcrypto.subtle.exportKey("jwk", keys.publicKey);
  const client = await register({
    token_endpoint_auth_method: "private_key_jwt",
    jwks: {
      keys: [{ kty: jwk.kty, n: jwk.n, e: jwk.e, kid: "login-1", alg: "RS512", use: "sig" }],
    },
  });
  // The package's audience is the issuer; NHS login wants the token endpoint.
  const audience = (_header, claims) => {
    claims.aud = `${baseUrl}${NHS_LOGIN}/token`;
  };
  const signer = oidc.PrivateKeyJwt(
    { key: keys.privateKey, kid: "login-1" },
    option === "--default-audience" ? {} : { [oidc.modifyAssertion]: audience },
  );
  const metadata = { id_token_signed_response_alg: "RS512" };
  const config = await discover(NHS_LOGIN, client.client_id, metadata, signer);
  return signedIn(config, { scope: "openid profile email", vtr: '["P9.Cp.Cd","P9.Cm"]' });
}

function register(settings) {
  return control(baseUrl, "clients", { provider, redirect_uris: [REDIRECT_URI], ...settings });
}

function discover(issuer, clientId, metadata, authentication) {
  return oidc.discovery(new URL(baseUrl + issuer), clientId, metadata, authentication, {
    // Loopback has no TLS; without it, signatures are what is left to trust.
    execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
  });
}

async function signedIn(config, parameters) {
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
  const request = { redirect_uri: REDIRECT_URI, state, nonce, ...parameters };
  const returned = await signIn(oidc.buildAuthorizationUrl(config, request), username);
  const tokens = await oidc.authorizationCodeGrant(config, returned, {
    expectedState: state,
    expectedNonce: nonce,
    maxAge: parameters.max_age && Number(parameters.max_age),
  });
  const claims = tokens.claims();
  const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
  return { client_id: config.clientMetadata().client_id, claims, userinfo };
}
