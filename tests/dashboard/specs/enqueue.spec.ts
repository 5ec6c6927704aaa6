import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "../test.ts";
import type { Job } from "../daemon.ts";

test("a form of the task's schema enqueues a job, and the command beside it does the same", async ({
  page,
  daemon,
}) => {
  await page.goto("/enqueue");
  await page.getByLabel("Task").selectOption("export-csv");
  await page.getByLabel("source").fill("it's here.jsonl");
  const list = (name: string) => page.getByRole("group", { name, exact: false }).first();
  await list("columns").getByRole("button", { name: "Add" }).click();
  await page.getByLabel("columns 1", { exact: true }).fill("age");
  await list("filter").getByRole("button", { name: "Add" }).click();
  await page.getByLabel("column", { exact: true }).fill("age");
  await page.getByLabel("op", { exact: true }).selectOption("ge");
  await page.getByLabel("value", { exact: true }).fill("36");
  await page.getByText("When and how").click();
  await page.getByLabel("Seconds to wait before it starts").fill("3600");
  await page.getByLabel("Tags").fill("a, b");
  const args = { source: "it's here.jsonl", columns: ["age"], filter: [{ column: "age", op: "ge", value: 36 }] };

  const command = await page.getByLabel("Command").innerText();
  const { stdout } = await promisify(execFile)("sh", ["-c", command.replace("curl", "curl --silent --fail")]);
  const byCurl = JSON.parse(stdout) as Job & { tags: string[] };

  await page.locator("form").getByRole("button", { name: "Enqueue" }).click();
  await expect(page).toHaveURL(/\/jobs\/[0-9a-f-]{36}$/);
  const byForm = await daemon.get<Job & { tags: string[] }>(`/jobs/${page.url().split("/").at(-1)}`);
  for (const job of [byForm, byCurl]) {
    expect([job.state, job.args, job.tags]).toEqual(["scheduled", args, ["a", "b"]]);
  }
  expect(byForm.id).not.toBe(byCurl.id);
});

test("a form knows the kinds of an argument and goes over to JSON and back", async ({ page, daemon }) => {
  await page.goto("/enqueue?task=probe");
  await page.getByLabel("Kind").selectOption("steps");
  await page.getByLabel("steps", { exact: true }).fill("2");
  await page.getByLabel("pause_ms", { exact: true }).fill("1");
  await page.getByRole("button", { name: "JSON" }).click();
  const text = page.getByLabel("Arguments", { exact: true });
  expect(JSON.parse(await text.inputValue())).toEqual({ do: "steps", steps: 2, pause_ms: 1 });
  await text.fill('{"do": "steps", "steps": 3, "pause_ms": 1');
  await expect(page.getByText("This is not JSON yet")).toBeVisible();
  await expect(page.locator("form").getByRole("button", { name: "Enqueue" })).toBeDisabled();
  await text.fill('{"do": "steps", "steps": 3, "pause_ms": 1}');
  await page.getByRole("button", { name: "Form" }).click();
  await expect(page.getByLabel("steps", { exact: true })).toHaveValue("3");
  await page.locator("form").getByRole("button", { name: "Enqueue" }).click();
  await expect(page.getByLabel("The output")).toContainText("steps: 3");
  expect(daemon.url).not.toBe("");
});

test.describe("refused", () => {
  test.use({ expected: /422 \(Unprocessable/ });

  test("what the daemon refuses is said at its field", async ({ page }) => {
    await page.goto("/enqueue?task=hello");
    await page.getByText("When and how").click();
    await page.getByLabel("Priority").fill("300");
    await page.getByLabel("name", { exact: true }).fill("Ada");
    const send = page.locator("form").getByRole("button", { name: "Enqueue" });
    await send.click();
    await expect(page.getByRole("alert")).toContainText("priority");
    await expect(page.locator(".field", { has: page.getByLabel("Priority") })).toContainText("between -100 and 100");
    await page.getByLabel("Priority").fill("");
    await page.getByRole("button", { name: "JSON" }).click();
    await page.getByLabel("Arguments", { exact: true }).fill('{"name": 3}');
    await send.click();
    await expect(page.getByRole("alert")).toContainText('3 is not of type "string"');
    await page.getByRole("button", { name: "Form" }).click();
    await expect(page.getByLabel("name", { exact: true })).toHaveAttribute("aria-invalid", "true");
  });
});
