import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, told } from "../test.ts";
import type { Job } from "../daemon.ts";

test("progress moves, and every step is there with its time", async ({ page, daemon }) => {
  const id = await daemon.enqueue({ do: "steps", steps: 40, pause_ms: 400 });
  await page.goto(`/jobs/${id}`);
  const bar = page.getByLabel(`Progress of job ${id}`);
  const percent = async () => Number(await bar.getAttribute("value").catch(() => null));
  await expect.poll(percent).toBeGreaterThan(0);
  const before = await percent();
  await expect.poll(percent).toBeGreaterThan(before);
  await expect(page.locator("main").getByText("completed", { exact: true })).toBeVisible();
  const steps = page.getByLabel("Steps").getByRole("listitem");
  await expect(steps).toHaveCount(40);
  await expect(steps.nth(2)).toContainText("Step 3 of 40");
  await expect(steps.nth(2).locator("time")).toHaveAttribute("datetime", /^\d{4}-\d\d-\d\dT/);
  await expect(page.getByLabel("The output")).toContainText("steps: 40");
});

test("a page that nobody saw for a while goes on where it was, without a step twice or left out", async ({
  page,
  daemon,
}) => {
  const id = await daemon.enqueue({ do: "steps", steps: 40, pause_ms: 400 });
  await page.goto(`/jobs/${id}`);
  const steps = page.getByLabel("Steps").getByRole("listitem");
  await expect(steps.nth(2)).toBeVisible();
  const hide = (isHidden: boolean) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, isHidden);
  await hide(true);
  const seen = await steps.count();
  await expect
    .poll(async () => (await daemon.get<{ task_step: number }>(`/jobs/${id}`)).task_step)
    .toBeGreaterThan(seen + 2);
  expect(await steps.count()).toBe(seen);
  await hide(false);
  await expect(page.locator("main").getByText("completed", { exact: true })).toBeVisible();
  await expect(steps).toHaveCount(40);
});

test("a log follows what is printed, line by line", async ({ page, daemon }) => {
  const id = await daemon.enqueue({ do: "print", lines: 300, length: 20 }, { delay_ms: 5_000 });
  await page.goto(`/jobs/${id}`);
  await expect(page.getByText("Nothing yet.")).toBeVisible();
  const log = page.getByRole("log");
  await expect(log.locator(".line")).toHaveCount(300);
  // Every tenth line went to standard error.
  await expect(log.locator(".stderr")).toHaveCount(30);
  await expect(log.locator(".line").last()).toBeInViewport();
});

test("a running job is cancelled, and then retried", async ({ page, daemon }) => {
  const id = await daemon.enqueue({ do: "wait_cancel" });
  await page.goto(`/jobs/${id}`);
  await expect(page.getByLabel("Steps")).toContainText("Waiting for a cancel");
  await page.getByRole("button", { name: "Cancel job" }).click();
  await told(page, "It was told to stop.");
  await expect(page.locator("main").getByText("cancelled", { exact: true }).first()).toBeVisible();
  await page.getByRole("button", { name: "Retry" }).click();
  await expect(page.locator("main").getByText("running", { exact: true }).first()).toBeVisible();
  expect((await daemon.get<Job>(`/jobs/${id}`)).attempt).toBe(2);
});

test("a retry by somebody else is seen", async ({ page, daemon }) => {
  const id = await daemon.enqueue({ do: "fatal", message: "no" });
  await daemon.finished(id);
  await page.goto(`/jobs/${id}`);
  await expect(page.getByText("1 of 5")).toBeVisible();
  await daemon.send("POST", `/jobs/${id}/retry`, {});
  await expect(page.getByText("2 of 5")).toBeVisible();
});

test("an artifact is downloaded as it was written", async ({ page, daemon }) => {
  await writeFile(join(daemon.folder, "data/people.jsonl"), '{"name":"Ada","age":36}\n{"name":"Grace","age":85}\n');
  const args = { source: "people.jsonl", file_name: "people.csv" };
  const { id } = await daemon.send<Job>("POST", "/jobs", { task: "export-csv", args });
  await page.goto(`/jobs/${id}`);
  const started = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download people.csv" }).click();
  const download = await started;
  expect(download.suggestedFilename()).toBe("people.csv");
  expect(await readFile(await download.path(), "utf8")).toBe("name,age\r\nAda,36\r\nGrace,85\r\n");
});

test("attempts tell why they failed and what they used", async ({ page, daemon }) => {
  const id = await daemon.enqueue({ do: "fail_until", attempt: 3 });
  await daemon.finished(id);
  await page.goto(`/jobs/${id}`);
  const attempts = page.getByRole("region", { name: "Attempts" }).locator("ol > li");
  await expect(attempts).toHaveCount(3);
  await expect(attempts.first()).toContainText("retryable");
  await expect(attempts.last()).not.toContainText("retryable");
  await attempts.first().locator("summary").click();
  await expect(attempts.first()).toContainText("Calls to the host");
});

test("a job is run again with changed arguments", async ({ page, daemon }) => {
  const { id } = await daemon.send<Job>("POST", "/jobs", { task: "hello", args: { name: "Ada" }, tags: ["a", "b"] });
  await daemon.finished(id);
  await page.goto(`/jobs/${id}`);
  await page.getByRole("link", { name: "Run again with changes" }).click();
  const name = page.getByLabel("name", { exact: true });
  await expect(name).toHaveValue("Ada");
  await name.fill("Grace");
  await page.locator("form").getByRole("button", { name: "Enqueue" }).click();
  await expect(page.getByLabel("The output")).toContainText("Hello, Grace!");
  const again = await daemon.get<Job & { tags: string[] }>(`/jobs/${page.url().split("/").at(-1)}`);
  expect([again.args, again.tags]).toEqual([{ name: "Grace" }, ["a", "b"]]);
});

test("a child leads to its parent", async ({ page, daemon }) => {
  const requests = [{ task: "probe", args: { do: "ok", value: "child" } }];
  const parent = await daemon.enqueue({ do: "enqueue", requests, until: 1 });
  await daemon.finished(parent);
  const { jobs } = await daemon.get<{ jobs: Job[] }>("/jobs");
  await page.goto(`/jobs/${jobs.find((job) => job.id !== parent)?.id}`);
  await page.getByRole("link", { name: parent.slice(-8) }).click();
  await expect(page).toHaveURL(new RegExp(`${parent}$`));
});

test.describe("without a daemon", () => {
  test.use({ expected: /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET/ });

  test("a lost connection is shown and heals itself, and no step is lost", async ({ page, daemon }) => {
    const id = await daemon.enqueue({ do: "steps", steps: 40, pause_ms: 250 });
    await page.goto(`/jobs/${id}`);
    const steps = page.getByLabel("Steps").getByRole("listitem");
    await expect(steps.nth(3)).toBeVisible();
    await daemon.kill();
    const lost = page.getByText("The connection to the daemon is lost.");
    await expect(lost).toBeVisible();
    await daemon.startAgain();
    await expect(lost).toBeHidden();
    // The job is taken from the worker that died and runs again.
    await expect(page.locator("main").getByText("completed", { exact: true })).toBeVisible({ timeout: 120_000 });
    await expect(page.getByLabel("Steps")).toContainText("Step 40 of 40");
    await expect(page.getByRole("region", { name: "Attempts" })).toContainText("worker lost");
  });
});

test.describe("that is not there", () => {
  test.use({ expected: /404 \(Not Found\)/ });

  test("a job that was pruned is answered with what to do", async ({ page, daemon }) => {
    expect(daemon.url).not.toBe("");
    await page.goto("/jobs/0197c2a4-5b1e-7c3d-9f00-3a5d8e6b7c21");
    await expect(page.getByText("There is no job 0197c2a4")).toBeVisible();
    await expect(page.getByRole("link", { name: "all jobs" })).toBeVisible();
  });
});
