/** What the pages say of numbers, times and schemas: without a browser. */

import { expect, test } from "@playwright/test";
import { curl } from "../../../host/dashboard/src/curl.ts";
import { bytes, plural, relative, span } from "../../../host/dashboard/src/format.ts";
import { initial, resolve, shape, withoutAbsent, type Schema } from "../../../host/dashboard/src/schema.ts";

test("a span has at most two units", () => {
  const spans = [0, 850, 4_250, 59_400, 65_000, 1_229_000, 3_600_000, 7_500_000, 273_600_000];
  const expected = ["0 ms", "850 ms", "4.3 s", "59 s", "1 min 5 s", "20 min 29 s", "1 h", "2 h 5 min", "3 d 4 h"];
  expect(spans.map(span)).toEqual(expected);
});

test("a time is told from now, and two clocks that nearly agree are not told apart", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");
  const at = (seconds: number) => relative(new Date(now - seconds * 1_000).toISOString(), now);
  const expected = ["now", "now", "5 s ago", "1 min 5 s ago", "20 min ago", "in 59 s", "in 3 d"];
  expect([0, -1, 5, 65, 1_229, -59, -259_200].map(at)).toEqual(expected);
});

test("sizes and numbers are written as people write them", () => {
  expect([0, 1_023, 1_536, 117_440_512].map(bytes)).toEqual(["0 B", "1023 B", "1.5 KiB", "112 MiB"]);
  expect([plural(1, "job"), plural(1_234, "job"), plural(2, "job was", "jobs were")]).toEqual([
    "1 job",
    "1,234 jobs",
    "2 jobs were",
  ]);
});

test("a command can hold whatever a shell would take apart", () => {
  expect(curl("http://h/p", { a: "it's $HOME `x`" })).toContain(`-d '{\n  "a": "it'\\''s $HOME \`x\`"\n}'`);
});

test("a schema that refers to itself, or that may be null, still makes a form", () => {
  const root: Schema = {
    type: "object",
    required: ["tree", "kind"],
    properties: {
      tree: { $ref: "#/$defs/Tree" },
      kind: { oneOf: [{ const: "a" }, { enum: ["b", "c"] }] },
      note: { anyOf: [{ type: "string", writeOnly: true }, { type: "null" }] },
      count: { type: ["integer", "null"], minimum: 1 },
      free: true as unknown as Schema,
    },
    $defs: { Tree: { type: "object", properties: { left: { $ref: "#/$defs/Tree" } } }, Loop: { $ref: "#/$defs/Loop" } },
  };
  const kind = (name: string) => shape(resolve(root.properties?.[name] ?? {}, root), root);
  expect(kind("kind")).toEqual({ kind: "choice", values: ["a", "b", "c"] });
  expect(kind("note")).toEqual({ kind: "text", secret: true, format: undefined });
  expect(kind("count")).toEqual({ kind: "number", step: "1", min: 1, max: undefined });
  expect(kind("free")).toEqual({ kind: "json" });
  expect(kind("tree").kind).toBe("object");
  expect(initial(root, root)).toEqual({ tree: {} });
  expect(resolve({ $ref: "#/$defs/Loop" }, root)).toEqual({});
});

test("what nobody filled in is left out, and what is null is kept", () => {
  expect(withoutAbsent({ a: undefined, b: null, c: [1, undefined], d: { e: undefined } })).toEqual({
    b: null,
    c: [1, null],
    d: {},
  });
});
