// The inspector, in Chromium, at the box that BASE_URL names.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";

import { HelloWorld } from "../../examples/node-test/hello-world.mjs";
import { control } from "../interop/sign_in.mjs";
import { LOOKS, assertGood, launch, newPage, tabTo } from "./browser.mjs";

const baseUrl = process.env.BASE_URL;
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const jwk = { ...publicKey.export({ format: "jwk" }), kid: "int-1", alg: "RS512", use: "sig" };
const REFUSED = /POST \/oauth2\/token/;

let browser, app, client;

before(async () => {
  browser = await launch();
});

after(() => browser.close());

beforeEach(async () => {
  await control(baseUrl, "reset");
  app = await control(baseUrl, "apps", { name: "The clinic", jwks: { keys: [jwk] } });
  client = new HelloWorld({ baseUrl, apiKey: app.api_key, privateKey, kid: jwk.kid });
});

test("the list is good at every size and in both colours", async () => {
  for (const look of LOOKS) {
    const page = await opened("/", look);
    await page.getByText("No requests yet").waitFor();
    await assertGood(page, "inspector-empty", look);
    await page.context().close();
  }
  await someTraffic();
  for (const look of LOOKS) {
    const page = await opened("/", look);
    assert.equal(await rows(page).count(), 5);
    await assertGood(page, "inspector", look);
    await page.context().close();
  }
});

test("a refused request is good at every size and in both colours", async () => {
  await refusedForItsKid();
  for (const look of LOOKS) {
    const page = await opened("/", look);
    await page.getByRole("link", { name: REFUSED }).click();
    await page.getByText("Refused by rule A19").waitFor();
    await page.locator("mark", { hasText: '"int1"' }).first().waitFor();
    await assertGood(page, "inspector-refused", look);
    await page.context().close();
  }
});

test("the form of an application is good at every size and in both colours", async () => {
  for (const look of LOOKS) {
    const page = await opened("/", look);
    await page.getByRole("link", { name: "The clinic" }).click();
    await page.getByRole("textbox", { name: "Name" }).waitFor();
    await assertGood(page, "inspector-app", look);
    await page.context().close();
  }
});

test("a new request comes into the list by itself, and is opened with the keyboard", async () => {
  const page = await opened("/");
  await page.getByRole("status").getByText("Live").waitFor();
  assert.equal(await rows(page).count(), 0);
  await refusedForItsKid();
  await rows(page).first().waitFor();
  assert.equal(await rows(page).count(), 1);
  await tabTo(page, page.getByRole("link", { name: REFUSED }));
  await page.keyboard.press("Enter");
  await page.getByText("Refused by rule A19").waitFor();
  assert.deepEqual(page.complaints, []);
});

test("everything but the live list works without JavaScript", async () => {
  await someTraffic();
  const page = await opened("/", { javaScriptEnabled: false });
  await page.getByRole("checkbox", { name: "Failed only" }).check();
  await page.getByRole("button", { name: "Filter" }).click();
  assert.equal(await rows(page).count(), 3);
  await page.getByRole("link", { name: REFUSED }).first().click();
  await page.getByText("Refused by rule A19").waitFor();

  await page.goto(baseUrl);
  await page.getByRole("link", { name: "New app" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("The pharmacy");
  await page
    .getByRole("textbox", { name: "Key set", exact: true })
    .fill(JSON.stringify({ keys: [jwk] }));
  await page.locator("form.app").getByRole("button").first().click();
  await page.getByRole("heading", { name: "The pharmacy" }).waitFor();
  const { apps } = await (await fetch(`${baseUrl}/_mock/apps`)).json();
  client.apiKey = apps.find(({ name }) => name === "The pharmacy").api_key;
  await client.applicationToken();
});

test("a secret is on no page before it is asked for", async () => {
  const page = await opened("/");
  assert.ok(!(await page.content()).includes(app.client_secret));
  await page.getByRole("link", { name: "Show secrets" }).click();
  await page.getByText("Mask secrets").waitFor();
  assert.ok((await page.content()).includes(app.client_secret));
  await page.getByRole("link", { name: "Mask secrets" }).click();
  await page.getByText("Show secrets").waitFor();
  assert.ok(!(await page.content()).includes(app.client_secret));
});

async function opened(path, look = {}) {
  const page = await newPage(browser, look);
  await page.goto(baseUrl + path);
  return page;
}

/** The requests that a page lists. */
function rows(page) {
  return page.getByRole("region", { name: "Requests" }).getByRole("listitem");
}

/** Two requests that go well, and three that don't. */
async function someTraffic() {
  const token = await client.applicationToken();
  await client.greet("application", token);
  await assert.rejects(client.greet("application", "nobody's"));
  await control(baseUrl, "faults", { fault: "500", times: 1 });
  await assert.rejects(client.greet("application", token));
  await refusedForItsKid();
}

async function refusedForItsKid() {
  const mistaken = new HelloWorld({ ...client, kid: "int1" });
  await assert.rejects(mistaken.applicationToken(), /'kid'/);
}
