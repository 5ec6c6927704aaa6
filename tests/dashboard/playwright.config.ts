import { defineConfig } from "@playwright/test";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const target = fileURLToPath(new URL("../../target/dashboard/", import.meta.url));

/** The whole path of the browser: Playwright takes no bare name. */
function browser(): string {
  const name = process.env["WINDLASS_TEST_BROWSER"] ?? "chromium";
  const found = execFileSync("sh", ["-c", 'command -v "$0"', name], { encoding: "utf8" });
  return found.trim();
}

export default defineConfig({
  testDir: "specs",
  outputDir: `${target}test-results`,
  // Each test has a daemon of its own. Two at once: on a small machine more only wait for each other.
  workers: 2,
  fullyParallel: true,
  forbidOnly: true,
  // A test that passes the second time is one that fails.
  retries: 0,
  // Long, because CI's machines are slow and busy; nothing waits so long when it passes.
  timeout: 240_000,
  expect: { timeout: 60_000 },
  reporter: [["list"], ["html", { outputFolder: `${target}report`, open: "never" }]],
  use: {
    viewport: { width: 1360, height: 900 },
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      // The distribution's, not one of Playwright's own.
      executablePath: browser(),
      // A root's browser has no sandbox of its own.
      args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    },
  },
});
