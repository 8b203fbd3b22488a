import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, beforeEach, test } from "node:test";

import { HelloWorld } from "./hello-world.mjs";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 4096 });
const jwk = { ...publicKey.export({ format: "jwk" }), kid: "test-1", alg: "RS512", use: "sig" };
let mock, baseUrl, client;

before(async () => {
  mock = spawn("nhs-auth", ["mock", "--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  [baseUrl] = await once(createInterface(mock.stdout), "line"); // it is ready when it says so
});

after(() => mock.kill());

beforeEach(async () => {
  await control("reset");
  const app = await control("apps", { name: "node", jwks: { keys: [jwk] } });
  client = new HelloWorld({ baseUrl, apiKey: app.api_key, privateKey, kid: jwk.kid });
});

test("an application greets", async () => {
  const token = await client.applicationToken();
  assert.deepEqual(await client.greet("application", token), { message: "Hello Application!" });
});

test("a healthcare worker greets, with no browser", async () => {
  const signIn = { provider: "cis2", username: "656005750104" };
  const { id_token: idToken } = await control("id-tokens", signIn);
  const token = await client.userToken(idToken);
  assert.deepEqual(await client.greet("user", token), { message: "Hello User!" });
});

test("a wrong kid is refused as the platform refuses it", async () => {
  client.kid = "test1";
  await assert.rejects(client.applicationToken(), {
    message: "Invalid 'kid' header in client_assertion JWT - no matching public key",
  });
});

test("a platform that sends its clients away", async () => {
  await control("faults", { fault: "500", path: "/oauth2/token", times: 1 });
  await assert.rejects(client.applicationToken(), /^Error: An unknown error occurred/);
  await client.applicationToken();
});

async function control(path, body = {}) {
  const url = `${baseUrl}/_mock/${path}`;
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.status === 204 ? {} : response.json();
}
