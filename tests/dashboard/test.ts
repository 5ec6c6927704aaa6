/** What every test has: a daemon, a page on it, and the promise that the browser finds no fault with the page. */

import { test as base, expect, type Page } from "@playwright/test";
import { Daemon } from "./daemon.ts";

export { expect };

interface Fixtures {
  daemon: Daemon;
  /** What a browser may complain of in this test: it counts each answer that refuses something as an error of the page. */
  expected: RegExp;
  complaints: string[];
}

export const test = base.extend<Fixtures>({
  daemon: async ({}, use) => {
    const daemon = await Daemon.start();
    await use(daemon);
    await daemon.remove();
  },
  baseURL: async ({ daemon }, use) => use(daemon.url),
  expected: [/^$/, { option: true }],
  complaints: async ({}, use) => use([]),
  page: async ({ page, expected, complaints }, use) => {
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    await page.addInitScript(keepNotices);
    page.on("pageerror", (error) => complaints.push(String(error)));
    await use(page);
    expect(complaints.filter((text) => !expected.test(text))).toEqual([]);
  },
});

/** Notes what the page tells of what was done: it is shown for a while only, and a busy machine may sleep over that. */
function keepNotices(): void {
  const seen = new Set<string>();
  Object.assign(window, { seen });
  new MutationObserver(() => {
    for (const notice of document.querySelectorAll(".notice p"))
      seen.add(notice.textContent?.replaceAll(/\s+/g, " ") ?? "");
  }).observe(document, { childList: true, subtree: true, characterData: true });
}

/** Waits until the page has told this, since it was opened. */
export async function told(page: Page, text: string): Promise<void> {
  const seen = () => page.evaluate(() => [...(window as unknown as { seen: Set<string> }).seen]);
  await expect.poll(async () => (await seen()).join("\n")).toContain(text);
}
