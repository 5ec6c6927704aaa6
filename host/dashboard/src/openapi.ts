/** The API's own document, as far as a page shows it. */

import type { Schema } from "./schema";

export interface Document {
  info: { title: string; version: string; description?: string };
  tags?: { name: string; description?: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, DocumentSchema> };
}

export interface Operation {
  operationId: string;
  tags?: string[];
  summary?: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: { description?: string; content: Record<string, Media> };
  responses: Record<string, { description?: string; content?: Record<string, Media> }>;
}

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: DocumentSchema;
}

export interface Media {
  schema?: DocumentSchema;
}

export type DocumentSchema = Schema & {
  example?: unknown;
  items?: DocumentSchema;
  properties?: Record<string, DocumentSchema>;
};

/** One call with where it is. */
export interface Call extends Operation {
  method: string;
  path: string;
}

/** All calls by their tag, in the document's order. */
export function callsByTag(document: Document): { name: string; description: string; calls: Call[] }[] {
  const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
  return (document.tags ?? []).map(({ name, description = "" }) => ({
    name,
    description,
    calls: calls.filter((call) => call.tags?.includes(name)),
  }));
}

/** The name of what a schema refers to. */
export const referred = (schema: DocumentSchema): string | undefined => schema.$ref?.split("/").at(-1);

/** Its type in a few words. */
export function typeText(schema: DocumentSchema): string {
  const name = referred(schema);
  if (name) return name;
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const others = (schema.oneOf ?? schema.anyOf)?.map(typeText);
  if (others) return others.join(" or ");
  if (schema.items) return `list of ${typeText(schema.items)}`;
  const types = Array.isArray(schema.type) ? schema.type.join(" or ") : (schema.type ?? "any JSON");
  return schema.format ? `${types} (${schema.format})` : types;
}

/** The names of all that a schema refers to by itself. */
export function references(schema: DocumentSchema): string[] {
  const name = referred(schema);
  if (name) return [name];
  const inner = [schema.items, ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].filter((one) => one !== undefined);
  return inner.flatMap((one) => references(one as DocumentSchema));
}
