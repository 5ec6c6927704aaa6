import { expect, test, told } from "../test.ts";
import type { Job } from "../daemon.ts";

const fails = (index: number, more: object = {}) => ({
  task: "probe",
  args: { do: "fatal", message: `customer ${index} is not known` },
  ...more,
});

test("the filter lives in the address", async ({ page, daemon }) => {
  await daemon.finished(await daemon.enqueue({ do: "ok", value: 1 }, { tags: ["nightly"], queue: "imports" }));
  const failed = await daemon.enqueue({ do: "fatal", message: "no" });
  await daemon.finished(failed);
  await page.goto("/jobs");
  const rows = page.locator("tbody tr");
  await expect(rows).toHaveCount(2);
  await page.getByRole("button", { name: /^discarded/ }).click();
  await expect(page).toHaveURL(/state=discarded/);
  await expect(rows).toHaveCount(1);
  await expect(rows.first()).toContainText("fatal: no");
  await page.getByRole("button", { name: /^discarded/ }).click();
  await page.getByLabel("Queue", { exact: true }).selectOption("imports");
  await expect(rows).toHaveCount(1);
  await page.getByRole("link", { name: "nightly" }).click();
  await expect(page).toHaveURL(/\/jobs\?tag=nightly$/);
  await page.reload();
  await expect(page.getByLabel("Tag")).toHaveValue("nightly");
  await expect(rows).toHaveCount(1);
  await page.getByRole("link", { name: "Clear" }).click();
  await page.getByLabel("Start of the id").fill(failed.slice(0, 30));
  await page.keyboard.press("Enter");
  await expect(rows).toHaveCount(1);
  await page.getByLabel("Start of the id").fill("00000000");
  await page.keyboard.press("Enter");
  await expect(page.getByText("No job matches")).toBeVisible();
  await page.goBack();
  await expect(page.getByText("There are no jobs")).toBeHidden();
});

test("times narrow the list", async ({ page, daemon }) => {
  await daemon.finished(await daemon.enqueue({ do: "ok", value: 1 }));
  await page.goto("/jobs");
  await page.getByLabel("Enqueued", { exact: true }).selectOption("last 15 minutes");
  await expect(page).toHaveURL(/since=15m/);
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await page.goto("/jobs?before=2020-01-01T00:00:00.000Z");
  await expect(page.getByText("No job matches")).toBeVisible();
});

test("new jobs wait until they are asked for, and the list does not jump", async ({ page, daemon }) => {
  const first = await daemon.enqueue({ do: "wait_cancel" });
  await page.goto("/jobs");
  const rows = page.locator("tbody tr");
  await expect(rows).toHaveCount(1);
  const place = await rows.first().boundingBox();
  await daemon.enqueueAll([fails(1), fails(2), fails(3)]);
  const more = page.getByRole("button", { name: "3 new jobs · show" });
  await expect(more).toBeVisible();
  await expect(rows).toHaveCount(1);
  // The row itself changes where it stands.
  await daemon.send("POST", `/jobs/${first}/cancel`, {});
  await expect(rows.first()).toContainText("cancelled");
  expect((await rows.first().boundingBox())?.y).toBe(place?.y);
  await more.click();
  await expect(rows).toHaveCount(4);
  await expect(more).toBeHidden();
});

test("a job that matches no longer stays where it is, and says so", async ({ page, daemon }) => {
  const id = await daemon.enqueue({ do: "wait_cancel" });
  await page.goto("/jobs?state=running,available");
  const row = page.locator("tbody tr");
  await expect(row).toContainText("running");
  await daemon.send("POST", `/jobs/${id}/cancel`, {});
  await expect(row).toContainText("matches no longer");
  await expect(row).toContainText("cancelled");
});

test("older jobs are a page away, and the newest are one step back", async ({ page, daemon }) => {
  const ids = await daemon.enqueueAll(Array.from({ length: 120 }, (_, index) => fails(index)));
  await page.goto("/jobs");
  const rows = page.locator("tbody tr");
  await expect(rows).toHaveCount(50);
  const links = () => rows.locator("[data-row]").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
  const seen = await links();
  await page.getByRole("link", { name: "Older" }).click();
  await expect(page).toHaveURL(/cursor=/);
  await expect(rows.first().locator("[data-row]")).not.toHaveAttribute("href", seen[0] ?? "");
  seen.push(...(await links()));
  await page.getByRole("link", { name: "Older" }).click();
  await expect(rows).toHaveCount(20);
  seen.push(...(await links()));
  expect(new Set(seen)).toEqual(new Set(ids.map((id) => `/jobs/${id}`)));
  await page.getByRole("link", { name: "Newest" }).click();
  await expect(rows).toHaveCount(50);
});

test.describe("with a job that is over", () => {
  test.use({ expected: /409 \(Conflict\)/ });

  test("selected jobs are cancelled, and those that are over are told of", async ({ page, daemon }) => {
    const waiting = await daemon.enqueue({ do: "ok", value: 1 }, { delay_ms: 3_600_000 });
    const running = await daemon.enqueue({ do: "wait_cancel" });
    const over = await daemon.enqueue({ do: "ok", value: 2 });
    await daemon.finished(over);
    await page.goto("/jobs");
    await page.getByLabel("Select all jobs of this page").check();
    await expect(page.getByText("3 jobs selected")).toBeVisible();
    await page.getByRole("button", { name: "Cancel jobs" }).click();
    await told(page, "Cancelled 2 jobs.");
    await told(page, "1 job stayed as before");
    expect((await daemon.finished(waiting)).state).toBe("cancelled");
    expect((await daemon.finished(running)).state).toBe("cancelled");
  });
});

test("all that match are retried, more than a page of them and none of the others", async ({ page, daemon }) => {
  const meant = await daemon.enqueueAll(Array.from({ length: 70 }, (_, index) => fails(index, { tags: ["meant"] })));
  const other = await daemon.enqueue({ do: "fatal", message: "another" });
  for (const id of [...meant, other]) await daemon.finished(id);
  await page.goto("/jobs?state=discarded&tag=meant");
  await page.getByLabel("Select all jobs of this page").check();
  await expect(page.getByText("50 jobs selected")).toBeVisible();
  await page.getByRole("button", { name: "Select all that match" }).click();
  await page.getByRole("button", { name: "Retry", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("all discarded jobs with the tag meant");
  await dialog.getByRole("button", { name: "Retry them" }).click();
  await told(page, "70 changed of 70 looked at, done.");
  for (const id of meant) expect((await daemon.finished(id)).attempt).toBe(2);
  expect((await daemon.get<Job>(`/jobs/${other}`)).attempt).toBe(1);
});

test("the keys alone select and open a job", async ({ page, daemon }) => {
  const [, last] = await daemon.enqueueAll([fails(1), fails(2)]);
  await page.goto("/");
  await page.keyboard.press("g");
  await page.keyboard.press("j");
  await expect(page).toHaveURL(/\/jobs$/);
  await expect(page.locator("tbody tr")).toHaveCount(2);
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await expect(page.getByText("1 job selected")).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/jobs/${last}$`));
});
