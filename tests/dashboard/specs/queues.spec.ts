import { expect, test, told } from "../test.ts";

interface Queue {
  paused_at: string | null;
  max_running: number | null;
  rate: { limit: number; period_ms: number } | null;
  keep_ms: { completed: number | null };
}

test("a queue is paused and goes on", async ({ page, daemon }) => {
  await daemon.finished(await daemon.enqueue({ do: "ok", value: 1 }, { queue: "mail" }));
  await page.goto("/queues");
  await page.getByRole("button", { name: "Pause mail" }).click();
  await told(page, "mail is paused: its running jobs go on.");
  const waiting = await daemon.enqueue({ do: "ok", value: 2 }, { queue: "mail" });
  await expect(page.locator("tr", { hasText: "mail" }).locator("td").nth(1)).toHaveText("1");
  await page.goto("/");
  await expect(page.getByText("The queue mail is paused")).toBeVisible();
  await page.goto("/queues");
  await page.getByRole("button", { name: "Resume mail" }).click();
  await expect(page.getByRole("button", { name: "Pause mail" })).toBeVisible();
  expect((await daemon.finished(waiting)).state).toBe("completed");
});

test("limits of a queue are set and taken away", async ({ page, daemon }) => {
  await daemon.finished(await daemon.enqueue({ do: "ok", value: 1 }, { queue: "mail" }));
  await page.goto("/queues");
  await page.getByRole("button", { name: "Limits of mail" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Jobs at once").fill("7");
  await dialog.getByLabel("Starts…").fill("100");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog.getByRole("alert")).toContainText("A rate has two parts");
  await dialog.getByLabel("…in so many seconds").fill("60");
  await dialog.getByLabel("completed").fill("1.5");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("100 in 1 min")).toBeVisible();
  const queue = await daemon.get<Queue>("/queues/mail");
  expect([queue.max_running, queue.rate, queue.keep_ms.completed]).toEqual([
    7,
    { limit: 100, period_ms: 60_000 },
    129_600_000,
  ]);

  await page.getByRole("button", { name: "Limits of mail" }).click();
  await expect(dialog.getByLabel("Jobs at once")).toHaveValue("7");
  for (const field of ["Jobs at once", "Starts…", "…in so many seconds", "completed"])
    await dialog.getByLabel(field).fill("");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("no limits")).toBeVisible();
  const after = await daemon.get<Queue>("/queues/mail");
  expect([after.max_running, after.rate, after.keep_ms.completed]).toEqual([null, null, null]);
});
