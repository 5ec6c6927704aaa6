// Writes the types of the API from its OpenAPI document. The document is the snapshot that a test of the daemon holds against what
// it serves: so these types cannot tell of anything else. They are never in the tree.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const SNAPSHOT = new URL("../crates/api/tests/it/snapshots/it__document__openapi.snap", import.meta.url);
const TYPES = new URL("../../target/dashboard/openapi.d.ts", import.meta.url);

const text = await readFile(SNAPSHOT, "utf8");
// A snapshot has a head between two lines of dashes.
const document = JSON.parse(text.slice(text.indexOf("\n---\n") + 5));
const types = astToString(await openapiTS(document, { emptyObjectsUnknown: true, defaultNonNullable: false }));
await mkdir(new URL(".", TYPES), { recursive: true });
await writeFile(TYPES, types);
