// Chromium for the tests here: how it is started, what is looked at on every page, and the
// pictures that are left in the directory SCREENSHOTS.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

import { installed, pathOf } from "../interop/packages.mjs";

const { default: playwright } = await installed("playwright-core");
const axe = readFileSync(pathOf("axe-core/axe.min.js"), "utf8");

/** The sizes and colours in which a page has to be good. */
export const LOOKS = [360, 1600].flatMap((width) =>
  ["light", "dark"].map((colorScheme) => ({ width, colorScheme })),
);

export function launch() {
  const executablePath = process.env.PATH.split(delimiter)
    .map((folder) => join(folder, "chromium"))
    .find(existsSync);
  assert.ok(executablePath, "chromium is missing: run `cargo xtask test`, which installs it");
  return playwright.chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A page of its own, which takes note of errors and of requests to another host. */
export async function newPage(browser, { width = 1024, colorScheme = "light", ...options } = {}) {
  const viewport = { width, height: 800 };
  const context = await browser.newContext({ viewport, colorScheme, ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) page.complaints.push(message.text());
  });
  page.on("pageerror", (error) => page.complaints.push(error.message));
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== "data:" && hostname !== "127.0.0.1") page.complaints.push(request.url());
  });
  return page;
}

/** Everything that holds for every page: it reads well aloud, fits, and is quiet. */
export async function assertGood(page, name, { width, colorScheme }) {
  const picture = `${process.env.SCREENSHOTS}/${name}-${width}-${colorScheme}.png`;
  await page.screenshot({ path: picture, fullPage: true });
  // A script element would be stopped by the page's policy; what is evaluated is not.
  await page.evaluate(axe);
  const { violations } = await page.evaluate("axe.run()");
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html)}`);
  assert.deepEqual(found, [], name);
  const [wide, seen] = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]");
  assert.ok(wide <= seen, `${name} is ${wide} px wide where ${seen} are seen`);
  assert.deepEqual(page.complaints, [], name);
}

/** Presses the Tab key until something has the focus. */
export async function tabTo(page, target) {
  for (let presses = 0; presses < 40; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail("the Tab key doesn't lead there");
}
