// The example web application in Chromium, from sign-in to sign-out: APP_URL names it, and BASE_URL
// the box that it signs users in with.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { control } from "../interop/sign_in.mjs";
import { LOOKS, assertGood, launch, newPage } from "./browser.mjs";

const { APP_URL, BASE_URL } = process.env;
const SID = "5e55-10n0";

let browser, clientId;

before(async () => {
  browser = await launch();
  const { clients } = await (await fetch(`${BASE_URL}/_mock/clients`)).json();
  clientId = clients.find((client) => client.client_id.endsWith(".apps.supplier")).client_id;
  const role = { person_roleid: "555000000001", role_name: "Nurse", role_code: "R8001" };
  for (const username of ["nurse", "colleague"]) {
    const user = { provider: "cis2", username, level: 3, roles: [role] };
    await control(BASE_URL, "users", { ...user, claims: { sid: `${SID}-${username}` } });
  }
});

after(() => browser.close());

/** A browser of its own, in which that user has signed in. */
async function signedIn(username, look) {
  const page = await newPage(browser, look);
  await page.goto(APP_URL);
  await page.click("text=Sign in with CIS2");
  await page.fill("#username", username);
  await page.click("button.primary");
  return page;
}

const text = (page) => page.textContent("main");
const logOut = (logoutToken) =>
  fetch(`${APP_URL}/backchannel-logout`, {
    method: "POST",
    body: new URLSearchParams({ logout_token: logoutToken }),
  });

test("from sign-in to sign-out", async () => {
  const page = await signedIn("two-roles");
  await page.click("label.choice >> nth=0");
  await page.click("text=Continue");
  await page.waitForURL(`${APP_URL}/`);
  assert.match(await text(page), /You act as Nurse Access Role at Z9Z9Z/);

  await page.click("text=Act in another role");
  await page.click("label >> nth=1");
  await page.click("text=Continue");
  assert.match(await text(page), /You act as Admin\/Clinical Support Access Role at X8X8X/);

  await page.click("text=Call the API as you");
  assert.match(await text(page), /answered 200.*Hello User!/s);
  await page.click("text=Back");
  await page.click("text=Call the API as the application");
  assert.match(await text(page), /answered 200.*Hello Application!/s);
  await page.click("text=Back");

  await page.click("text=Sign out");
  assert.match(await text(page), /Sign in with CIS2/);
  await page.goto(`${APP_URL}/hello/user`);
  assert.equal(page.url(), `${APP_URL}/`, "without a session there is the first page");
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("the browser has one cookie, which no script reads, and no token", async () => {
  const page = await signedIn("656005750104");
  await page.waitForURL(`${APP_URL}/`);
  const cookies = await page.context().cookies(APP_URL);
  assert.equal(cookies.length, 1);
  const { httpOnly, secure, sameSite, value } = cookies[0];
  assert.deepEqual({ httpOnly, secure, sameSite }, { httpOnly: true, secure: true, sameSite: "Lax" });
  assert.match(value, /^[\w-]{43}$/);
  const seen = await page.evaluate(
    "document.cookie + JSON.stringify({...localStorage, ...sessionStorage}) + document.documentElement.outerHTML",
  );
  assert.doesNotMatch(seen, /eyJ/);
  assert.ok(!seen.includes(value));
  await page.context().close();
});

test("signing in gives the session a new name", async () => {
  const page = await newPage(browser);
  await page.goto(APP_URL);
  await page.click("text=Sign in with CIS2");
  const name = async () => (await page.context().cookies(APP_URL))[0].value;
  const before = await name();
  await page.fill("#username", "656005750104");
  await page.click("button.primary");
  await page.waitForURL(`${APP_URL}/`);
  assert.notEqual(await name(), before);
  await page.context().close();
});

test("a page that is loaded twice, another's state, and a cancelled sign-in end nowhere", async () => {
  const page = await newPage(browser);
  let callback;
  page.on("request", (request) => {
    if (request.url().startsWith(`${APP_URL}/callback`)) callback = request.url();
  });
  await page.goto(APP_URL);
  await page.click("text=Sign in with CIS2");
  await page.fill("#username", "656005750104");
  await page.click("button.primary");
  await page.waitForURL(`${APP_URL}/`);
  const again = await page.goto(callback);
  assert.equal(again.status(), 400);
  assert.match(await text(page), /No sign-in is under way/);

  const other = await newPage(browser);
  await other.goto(APP_URL);
  await other.click("text=Sign in with CIS2");
  const swapped = await other.goto(callback);
  assert.equal(swapped.status(), 400);
  assert.match(await text(other), /`state` is not the one/);

  await other.goto(APP_URL);
  await other.click("text=Sign in with CIS2");
  await other.click("text=Cancel");
  assert.match(await text(other), /You are not signed in: the provider answered access_denied/);
  for (const it of [page, other]) await it.context().close();
});

test("CIS2 ends the session of its user, and nobody else's", async () => {
  const nurse = await signedIn("nurse");
  const colleague = await signedIn("colleague");
  for (const page of [nurse, colleague]) await page.waitForURL(`${APP_URL}/`);
  const logoutToken = async (claims) => {
    const sid = `${SID}-nurse`;
    const body = { sid, claims: { aud: clientId, sub: "nurse", ...claims } };
    return (await control(BASE_URL, "logout-tokens", body)).logout_token;
  };
  const now = Math.floor(Date.now() / 1000);
  const good = await logoutToken({});
  const forged = good.replace(/\.[^.]*$/, (signature) => `.${[...signature.slice(1)].reverse().join("")}`);
  for (const [what, token] of Object.entries({
    "another client's": await logoutToken({ aud: "999999999999.apps.national" }),
    "an old one": await logoutToken({ iat: now - 400 }),
    "one from before the sign-in": await logoutToken({ iat: now - 200, exp: null }),
    "an ID token": (await control(BASE_URL, "id-tokens", { provider: "cis2" })).id_token,
    "one that nobody signed": forged,
    "no token": "x",
  })) {
    assert.equal((await logOut(token)).status, 400, what);
  }
  await nurse.reload();
  assert.match(await text(nurse), /You are signed in/);

  assert.equal((await logOut(good)).status, 200);
  await nurse.reload();
  assert.match(await text(nurse), /Sign in with CIS2/);
  await colleague.reload();
  assert.match(await text(colleague), /You are signed in/);
  assert.equal((await logOut(good)).status, 200, "who is signed out already is signed out");
  for (const page of [nurse, colleague]) await page.context().close();
});

test("a user without a role is told so, and can be helped", async () => {
  const page = await signedIn("no-roles");
  await page.waitForURL(`${APP_URL}/`);
  assert.match(await text(page), /You have no role that can be used here/);
  await page.context().close();
});

test("a level that was not asked for signs nobody in", async () => {
  const page = await signedIn("656005750110");
  assert.match(await text(page), /You are not signed in: the user signed in with AAL1_USERPASS/);
  await page.context().close();
});

test("another site's forms are refused, and so are unknown pages", async () => {
  for (const path of ["sign-in", "sign-out", "role"]) {
    for (const headers of [{}, { Origin: "https://evil.example" }]) {
      const answer = await fetch(`${APP_URL}/${path}`, { method: "POST", headers });
      assert.equal(answer.status, 403, path);
    }
  }
  assert.equal((await fetch(`${APP_URL}/nowhere`)).status, 404);
  const keys = await fetch(`${APP_URL}/.well-known/jwks.json`);
  assert.equal(keys.headers.get("content-type"), "application/json");
  const { keys: [key, ...others] } = await keys.json();
  assert.deepEqual(Object.keys(key), ["kty", "n", "e", "alg", "use", "kid"]);
  assert.equal(others.length, 0);
});

for (const look of LOOKS) {
  test(`its pages are good at ${look.width} px, ${look.colorScheme}`, async () => {
    const start = await newPage(browser, look);
    await start.goto(APP_URL);
    await assertGood(start, "web-app-start", look);
    const page = await signedIn("two-roles", look);
    await page.click("label.choice >> nth=0");
    await page.click("text=Continue");
    await page.waitForURL(`${APP_URL}/`);
    await assertGood(page, "web-app-home", look);
    for (const path of ["role", "hello/user"]) {
      await page.goto(`${APP_URL}/${path}`);
      await assertGood(page, `web-app-${path.replace("/", "-")}`, look);
    }
    for (const it of [start, page]) await it.context().close();
  });
}
