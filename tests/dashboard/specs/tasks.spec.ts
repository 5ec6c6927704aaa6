import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { expect, test, told } from "../test.ts";
import { anotherVersion, guest } from "../daemon.ts";

/** Drops a file where files can be dropped. */
async function drop(page: Page, name: string, content: Buffer): Promise<void> {
  const data = await page.evaluateHandle(
    ([name, base64]) => {
      const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], name, { type: "application/wasm" }));
      return transfer;
    },
    [name, content.toString("base64")] as const,
  );
  const place = page.getByText("Drop a component here");
  await place.dispatchEvent("dragover", { dataTransfer: data });
  await place.dispatchEvent("drop", { dataTransfer: data });
}

test("a component that is dropped goes into service, and is rolled back", async ({ page, daemon }) => {
  const hello = await readFile(guest("plugins", "hello"));
  await page.goto("/tasks");
  const line = page.locator("li", { has: page.getByRole("link", { name: "hello", exact: true }) });
  const first = await line.locator("code").innerText();
  await drop(page, "hello.wasm", anotherVersion(hello, "second"));
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByLabel("Task")).toHaveValue("hello");
  await dialog.getByRole("button", { name: "Upload" }).click();
  await told(page, "hello is in service as");
  await expect(line.locator("code")).not.toHaveText(first);
  const second = await line.locator("code").innerText();

  await page.getByRole("link", { name: "hello", exact: true }).click();
  const versions = page.getByRole("region", { name: "Versions" }).locator("tbody tr");
  await expect(versions).toHaveCount(2);
  await expect(versions.filter({ hasText: second })).toContainText("in service");
  await page.getByRole("button", { name: "Roll back" }).click();
  await expect(page.getByRole("dialog")).toContainText(first);
  await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
  await expect(versions.filter({ hasText: first })).toContainText("in service");
  await expect(page.getByRole("region", { name: "History" })).toContainText("rollback");
  const task = await daemon.get<{ in_service: string }>("/tasks/hello");
  expect(task.in_service.startsWith(first)).toBe(true);
});

test("a pin keeps a new version out of service until it is lifted", async ({ page }) => {
  await page.goto("/tasks/hello");
  await page.getByRole("button", { name: "Pin", exact: true }).click();
  await expect(page.getByText("pinned", { exact: true })).toBeVisible();
  await drop(page, "hello.wasm", anotherVersion(await readFile(guest("plugins", "hello")), "kept"));
  await page.getByRole("dialog").getByRole("button", { name: "Upload" }).click();
  await told(page, "hello is pinned to another version");
  await page.getByRole("button", { name: "Lift the pin" }).click();
  await page.getByRole("button", { name: "Put in service" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
  await expect(page.getByRole("region", { name: "Versions" }).locator("tbody tr").first()).toContainText("in service");
});

test("a task is deleted after a question", async ({ page }) => {
  await page.goto("/tasks/hello");
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Keep as it is" }).click();
  await expect(page.getByRole("dialog")).toBeHidden();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page).toHaveURL(/\/tasks$/);
  await expect(page.getByRole("link", { name: "probe", exact: true })).toBeVisible();
  // A file that is still there is told of.
  const line = page.locator("li", { has: page.getByRole("link", { name: "hello", exact: true }) });
  await expect(line).toContainText("not in service");
  await expect(line).toContainText("the task was deleted");
});

test("why a file did not load stands there in plain words", async ({ page, daemon }) => {
  await writeFile(join(daemon.folder, "plugins/broken.wasm"), "this is no component");
  await page.goto("/tasks");
  const line = page.locator("li", { has: page.getByRole("link", { name: "broken" }) });
  await expect(line).toContainText("not in service");
  await expect(line.locator(".note")).toContainText("the file is not WebAssembly");
  await page.goto("/");
  await page.getByRole("link", { name: "broken is not in service" }).click();
  await expect(page).toHaveURL(/\/tasks\/broken$/);
});

test.describe("refused", () => {
  test.use({ expected: /422 \(Unprocessable/ });

  test("a component that cannot be served is refused with the reason, and nothing changes", async ({ page }) => {
    await page.goto("/tasks");
    await drop(page, "Bad_Name.wasm", Buffer.from("not wasm"));
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByLabel("Task")).toHaveValue("bad-name");
    await dialog.getByRole("button", { name: "Upload" }).click();
    await expect(dialog.getByRole("alert")).not.toBeEmpty();
    await dialog.getByRole("button", { name: "Keep as it is" }).click();
    await expect(page.getByRole("link", { name: "bad-name" })).toBeHidden();
  });
});
