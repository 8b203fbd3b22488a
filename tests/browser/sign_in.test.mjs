// The identity providers' sign-in pages, in Chromium, at the box that BASE_URL names.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { control } from "../interop/sign_in.mjs";
import { LOOKS, assertGood, launch, newPage, tabTo } from "./browser.mjs";

const baseUrl = process.env.BASE_URL;
const PAGES = {
  cis2: {
    provider: "cis2",
    path: "/openam/oauth2/realms/root/realms/NHSIdentity/realms/Healthcare/authorize",
    username: "656005750104",
  },
  "nhs-login": { provider: "nhs-login", path: "/nhs-login/authorize", username: "9912003071" },
  hosted: {
    provider: "cis2",
    path: "/realms/Cis2-mock-int/protocol/openid-connect/auth",
    username: "656005750104",
  },
};
const CLIENT_ID = "999999999999.apps.national";

let browser, application, redirectUri;

before(async () => {
  browser = await launch();
  application = createServer((_request, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end("<!DOCTYPE html><html lang=en><title>The application</title>Signed in");
  });
  application.listen(0, "127.0.0.1");
  await once(application, "listening");
  redirectUri = `http://127.0.0.1:${application.address().port}/callback`;
  for (const provider of ["cis2", "nhs-login"]) {
    const client = { provider, client_id: CLIENT_ID, redirect_uris: [redirectUri] };
    await control(baseUrl, "clients", client);
  }
});

after(async () => {
  await browser.close();
  application.close();
});

for (const [name, it] of Object.entries(PAGES)) {
  test(`${name}: the page is good at every size and in both colours`, async () => {
    const grounds = new Set();
    for (const look of LOOKS) {
      const page = await opened(it, look);
      await assertGood(page, name, look);
      grounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
      await page.context().close();
    }
    assert.equal(grounds.size, 2, "dark and light differ");
  });

  test(`${name}: a user signs in with the keyboard alone`, async () => {
    const page = await opened(it);
    await page.locator("#username:focus").waitFor(); // the page sees to it
    await page.keyboard.type(it.username);
    await page.keyboard.press("Enter");
    await assertReturned(page);
  });

  test(`${name}: a user is chosen with the keyboard alone`, async () => {
    const page = await opened(it);
    await tabTo(page, page.getByRole("button", { name: it.username }));
    await page.keyboard.press("Enter");
    await assertReturned(page);
  });

  test(`${name}: a user signs in without JavaScript`, async () => {
    const page = await opened(it, { javaScriptEnabled: false });
    await page.getByRole("textbox", { name: "User name" }).fill(it.username);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await assertReturned(page);
  });

  test(`${name}: a user gives up`, async () => {
    const page = await opened(it);
    await page.getByRole("button", { name: "Cancel" }).click();
    const { searchParams } = await returned(page);
    assert.equal(searchParams.get("error"), "access_denied");
    assert.equal(searchParams.get("state"), "the-state");
  });
}

test("a wrong user name is told, and can be mended", async () => {
  for (const look of LOOKS) {
    const page = await opened(PAGES.cis2, look);
    const field = page.getByRole("textbox", { name: "User name" });
    await field.fill("nobody");
    await field.press("Enter");
    await page.getByRole("alert").getByText("There is no user of that name here").waitFor();
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    await assertGood(page, "wrong-user", look);
    await field.fill(PAGES.cis2.username);
    await field.press("Enter");
    await assertReturned(page);
  }
});

test("a role is chosen at every size and in both colours", async () => {
  for (const look of LOOKS) {
    const page = await atRoles("two-roles", look);
    assert.equal(await page.getByRole("radio").count(), 2);
    await assertGood(page, "roles", look);
    await page.getByRole("radio", { name: /Nurse/ }).check();
    await page.getByRole("button", { name: "Continue" }).click();
    await assertReturned(page);
  }
});

test("a role is chosen with the keyboard alone", async () => {
  const page = await atRoles("two-roles");
  await tabTo(page, page.getByRole("radio").first());
  await page.keyboard.press("ArrowDown");
  assert.ok(await page.getByRole("radio").nth(1).isChecked());
  await page.keyboard.press("Enter");
  await assertReturned(page);
});

test("a role is chosen without JavaScript", async () => {
  const page = await atRoles("two-roles", { javaScriptEnabled: false });
  await page.getByRole("radio").first().check();
  await page.getByRole("button", { name: "Continue" }).click();
  await assertReturned(page);
});

test("one of many roles is searched for", async () => {
  for (const look of LOOKS) {
    const page = await atRoles("many-roles", look);
    assert.equal(await page.getByRole("radio").count(), 7);
    await assertGood(page, "many-roles", look);
    await page.getByRole("searchbox", { name: "Search your roles" }).fill("general practice");
    await page.keyboard.press("Enter");
    await page.waitForURL(/[?&]q=/);
    assert.equal(await page.getByRole("radio").count(), 2);
    await page.getByRole("radio").first().check();
    await page.getByRole("button", { name: "Continue" }).click();
    await assertReturned(page);
  }
});

test("a client that isn't registered is told on a page", async () => {
  for (const look of LOOKS) {
    const page = await newPage(browser, look);
    const answer = await page.goto(`${baseUrl}${PAGES.cis2.path}?client_id=unknown`);
    assert.equal(answer.status(), 400);
    await page.getByRole("alert").getByText("invalid_client").waitFor();
    page.complaints = page.complaints.filter((complaint) => !complaint.includes("400"));
    await assertGood(page, "unknown-client", look);
  }
});

/** The sign-in page, opened as an application sends its user there. */
async function opened({ path }, look = {}, scope = "openid profile") {
  const request = {
    client_id: CLIENT_ID,
    redirect_uri: redirectUri,
    response_type: "code",
    scope,
    state: "the-state",
    nonce: "the-nonce",
  };
  const page = await newPage(browser, look);
  await page.goto(`${baseUrl}${path}?${new URLSearchParams(request)}`);
  return page;
}

async function atRoles(username, look) {
  const page = await opened(PAGES.cis2, look, "openid nationalrbacaccess selectedrole");
  await page.getByRole("textbox", { name: "User name" }).fill(username);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Choose a role" }).waitFor();
  return page;
}

/** Where the application is called back. */
async function returned(page) {
  await page.waitForURL((url) => url.href.startsWith(redirectUri));
  return new URL(page.url());
}

async function assertReturned(page) {
  const { searchParams } = await returned(page);
  assert.ok(searchParams.get("code"), "a code comes back");
  assert.equal(searchParams.get("state"), "the-state");
  await page.context().close();
}
