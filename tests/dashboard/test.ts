/** What every test has: a daemon, a page on it, and the promise that the browser finds no fault with the page. */

import { test as base, expect } from "@playwright/test";
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
    page.on("pageerror", (error) => complaints.push(String(error)));
    await use(page);
    expect(complaints.filter((text) => !expected.test(text))).toEqual([]);
  },
});
