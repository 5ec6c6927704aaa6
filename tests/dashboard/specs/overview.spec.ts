import { expect, test } from "../test.ts";

test("the overview of a new daemon says what to do next", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByText("No job was ever enqueued here")).toBeVisible();
  await page.getByRole("link", { name: "Enqueue one" }).click();
  await expect(page.getByRole("heading", { name: "Enqueue a job" })).toBeFocused();
});

test("a running job's bar moves, and what ends is counted", async ({ page, daemon }) => {
  await page.goto("/");
  const chart = page.getByRole("img", { name: "Jobs by minute" });
  await expect(chart).toHaveAttribute("aria-label", /: 0 completed, 0 failed/);
  // After the first reading: only what changes from there on can be counted.
  const slow = await daemon.enqueue({ do: "steps", steps: 400, pause_ms: 300 });
  await daemon.enqueueAll([
    ...Array.from({ length: 5 }, (_, index) => ({ task: "hello", args: { name: `Person ${index}` } })),
    { task: "probe", args: { do: "fatal", message: "the customer is not known" } },
  ]);
  const bar = page.getByLabel(`Progress of job ${slow}`);
  const percent = async () => Number(await bar.getAttribute("value"));
  await expect(bar).toBeVisible();
  const before = await percent();
  await expect.poll(percent).toBeGreaterThan(before);
  await expect(chart).toHaveAttribute("aria-label", /: 5 completed, 1 failed/);
  await expect(page.getByRole("region", { name: "Failing" })).toContainText("fatal: the customer is not known");
  await page.getByRole("link", { name: "completed" }).click();
  await expect(page).toHaveURL(/\/jobs\?state=completed$/);
});

test("a worker is there with what it runs", async ({ page, daemon }) => {
  await daemon.enqueue({ do: "wait_cancel" });
  await page.goto("/workers");
  const row = page.locator("tbody tr");
  await expect(row).toHaveCount(1);
  await expect(row).toContainText("alive");
  await expect(row.locator("td").nth(5)).toHaveText("1");
});

test("every call of the API can be looked up", async ({ page, daemon }) => {
  await page.goto("/");
  await page.getByRole("link", { name: "API" }).click();
  const document = await daemon.get<{ paths: Record<string, object> }>("/openapi.json");
  const calls = Object.values(document.paths).reduce((sum, methods) => sum + Object.keys(methods).length, 0);
  await expect(page.locator("li > details")).toHaveCount(calls);
  await page.getByLabel("Find a call").fill("retry");
  const call = page.locator("#retryJob");
  await call.locator("summary").first().click();
  await expect(call).toContainText("There is no such job, or it has been pruned.");
  await expect(call.getByLabel("Command")).toContainText("curl -X POST");
});

test.describe("not let in", () => {
  test.use({ expected: /401 \(Unauthorized\)/ });

  test("what the daemon says to whom it does not know is shown, until it lets them in", async ({ page }) => {
    const problem = {
      status: 401,
      code: "unauthorized",
      title: "No token",
      detail: "Say who you are: the page needs a token.",
    };
    await page.route("**/api/v1/stats", (route) =>
      route.fulfill({ status: 401, json: problem, contentType: "application/problem+json" }),
    );
    await page.route(/api\/v1\/(queues|workers|jobs|tasks)/, (route) => route.fulfill({ status: 401, json: problem }));
    await page.goto("/");
    await expect(page.getByRole("alert").filter({ hasText: "Say who you are" }).first()).toBeVisible();
    await page.unrouteAll();
    await expect(page.getByText("Say who you are")).toHaveCount(0);
  });
});
