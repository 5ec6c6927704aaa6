/** Each page by day, by night and on a phone: nothing juts out, axe finds nothing serious, and a screenshot is kept. */

import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import type { AxeResults } from "axe-core";
import { expect, test } from "../test.ts";
import type { Daemon } from "../daemon.ts";

const SCREENSHOTS = fileURLToPath(new URL("../../../target/dashboard/screenshots/", import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const LOOKS = [
  { name: "light", colorScheme: "light", viewport: { width: 1360, height: 900 }, isMobile: false },
  { name: "dark", colorScheme: "dark", viewport: { width: 1360, height: 900 }, isMobile: false },
  { name: "phone", colorScheme: "light", viewport: { width: 360, height: 740 }, isMobile: true },
] as const;

/** A daemon on which something of each kind has happened, and the addresses to look at. */
async function seeded(daemon: Daemon): Promise<Record<string, string>> {
  await writeFile(join(daemon.folder, "data/people.jsonl"), '{"name":"Ada","age":36}\n{"name":"Grace","age":85}\n');
  await daemon.enqueueAll(
    Array.from({ length: 70 }, (_, index) => ({
      task: "hello",
      args: { name: `Person ${index}` },
      tags: index % 3 === 0 ? ["greeting"] : [],
    })),
  );
  const running = await daemon.enqueue({ do: "steps", steps: 300, pause_ms: 500 }, { queue: "slow" });
  await daemon.enqueue({ do: "wait_cancel" });
  const failed = await daemon.enqueue(
    { do: "fatal", message: "the customer 4711 is not known: ask the sales department before you try again" },
    { queue: "imports", tags: ["nightly", "customers"] },
  );
  const { id: exported } = await daemon.send<{ id: string }>("POST", "/jobs", {
    task: "export-csv",
    args: { source: "people.jsonl", file_name: "people.csv" },
    metadata: { order: { customer: 4711, lines: [1, 2, 3] } },
  });
  await daemon.enqueue(
    { do: "retryable", message: "the server answered 503" },
    { backoff: { base_ms: 600_000, max_ms: 3_600_000 } },
  );
  await daemon.enqueue({ do: "ok", value: 1 }, { delay_ms: 3_600_000 });
  const printed = await daemon.enqueue({ do: "print", lines: 60, length: 30 });
  const rate = { limit: 100, period_ms: 60_000 };
  await daemon.send("PATCH", "/queues/mail", { paused: true, max_running: 5, rate });
  await daemon.enqueue({ do: "ok", value: 2 }, { queue: "mail" });
  // The longest names that there can be.
  await daemon.enqueue(
    { do: "wait_cancel" },
    { queue: "a-very-long-name-".repeat(4).slice(0, 64), tags: ["t".repeat(100), "u".repeat(100)] },
  );
  await writeFile(join(daemon.folder, "plugins/broken.wasm"), "this is no component");
  for (const id of [failed, exported, printed]) await daemon.finished(id);
  return {
    overview: "/",
    jobs: "/jobs",
    "jobs-failed": "/jobs?state=discarded,retryable",
    "jobs-none": "/jobs?tag=nothing",
    job: `/jobs/${running}`,
    "job-failed": `/jobs/${failed}`,
    "job-exported": `/jobs/${exported}`,
    "job-printed": `/jobs/${printed}`,
    enqueue: "/enqueue?task=export-csv",
    tasks: "/tasks",
    task: "/tasks/export-csv",
    queues: "/queues",
    workers: "/workers",
    reference: "/reference",
    nowhere: "/nowhere",
  };
}

/** What axe finds, in words, without what it thinks minor. */
async function faults(page: Page): Promise<string[]> {
  // Not as a script of the page: its policy would refuse that, and rightly.
  await page.evaluate(AXE);
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  const serious = results.violations.filter((one) => one.impact === "serious" || one.impact === "critical");
  return serious.map(
    (one) => `${one.id}: ${one.help}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`,
  );
}

/** By how many pixels the page is wider than the window, and what juts out. */
async function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const wide = [...document.querySelectorAll("body *")].filter(
      (one) => one.getBoundingClientRect().right > clientWidth + 1,
    );
    return wide.slice(0, 5).map((one) => `${one.tagName}.${one.className}: ${one.textContent?.slice(0, 40)}`);
  });
}

for (const look of LOOKS) {
  test.describe(look.name, () => {
    test.use({
      colorScheme: look.colorScheme,
      viewport: look.viewport,
      isMobile: look.isMobile,
      hasTouch: look.isMobile,
    });

    test(`every page holds together, and axe finds nothing serious (${look.name})`, async ({ page, daemon }) => {
      test.setTimeout(900_000);
      const pages = await seeded(daemon);
      const found: string[] = [];
      for (const [name, path] of Object.entries(pages)) {
        await page.goto(path);
        await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
        await page.waitForLoadState("load");
        // What the page asks for is there when its first answers are.
        await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
        await expect
          .poll(() => page.evaluate(() => document.querySelector("main")?.innerText.length ?? 0))
          .toBeGreaterThan(30);
        found.push(...(await faults(page)).map((fault) => `${name}: ${fault}`));
        found.push(...(await tooWide(page)).map((wide) => `${name} is too wide: ${wide}`));
        await page.screenshot({ path: `${SCREENSHOTS}${name}-${look.name}.png`, fullPage: look.name === "phone" });
      }
      expect(found).toEqual([]);
    });
  });
}

test("the colours are chosen by hand, and stay chosen", async ({ page }) => {
  await page.goto("/");
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await ground();
  await page.getByRole("button", { name: "Colours: auto" }).click();
  await page.getByRole("button", { name: "Colours: light" }).click();
  await expect(page.getByRole("button", { name: "Colours: dark" })).toBeVisible();
  const dark = await ground();
  expect(dark).not.toBe(light);
  await page.reload();
  expect(await ground()).toBe(dark);
});

test.describe("under its policy", () => {
  test.use({ expected: /Content Security Policy|Trusted(Script|HTML)/ });

  test("a page takes nothing from elsewhere and puts nothing inline", async ({ page, daemon }) => {
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.goto("/");
    await expect(page.getByText("No job was ever enqueued here")).toBeVisible();
    expect(asked.filter((url) => !url.startsWith(daemon.url))).toEqual([]);
    expect(await page.locator("style, script:not([src]), [onclick], [style*=javascript]").count()).toBe(0);
    // The policy itself holds: neither a script nor markup that is put in by hand gets through.
    const ran = await page.evaluate(() => {
      const attempts = [
        () => {
          const script = document.createElement("script");
          script.append("window.ran = true");
          document.head.append(script);
        },
        () => {
          document.createElement("p").innerHTML = "<b>markup</b>";
          Object.assign(window, { ran: true });
        },
      ];
      for (const attempt of attempts) {
        try {
          attempt();
        } catch {
          // Refused, as it should be.
        }
      }
      return "ran" in window;
    });
    expect(ran).toBe(false);
  });
});
