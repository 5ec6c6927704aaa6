/** What a form can be drawn from: a task's JSON Schema, as far as forms know such things. All else is written as JSON. */

export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  examples?: unknown[];
  enum?: unknown[];
  const?: unknown;
  format?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema | boolean;
  anyOf?: Schema[];
  oneOf?: Schema[];
  writeOnly?: boolean;
}

export interface Field {
  name: string;
  schema: Schema;
  isRequired: boolean;
}

export interface Variant {
  title: string;
  schema: Schema;
}

/** How a value is asked for. */
export type Shape =
  | { kind: "text"; secret: boolean; format: string | undefined }
  | { kind: "number"; step: "1" | "any"; min: number | undefined; max: number | undefined }
  | { kind: "flag" }
  | { kind: "choice"; values: unknown[] }
  | { kind: "constant"; value: unknown }
  | { kind: "list"; item: Schema }
  | { kind: "object"; fields: Field[] }
  | { kind: "variants"; variants: Variant[] }
  | { kind: "json" };

/** Follows references, and takes the null out of what may be null: an absent value says the same. */
export function resolve(schema: Schema, root: Schema, depth = 0): Schema {
  // A schema may refer to itself.
  if (depth > 20) return {};
  if (schema.$ref) {
    const name = /^#\/\$defs\/(.+)$/.exec(schema.$ref)?.[1];
    const target = name === undefined ? undefined : root.$defs?.[decodeURIComponent(name)];
    const { $ref, ...own } = schema;
    return target ? { ...resolve(target, root, depth + 1), ...own } : own;
  }
  const choices = schema.anyOf ?? schema.oneOf;
  const others = choices?.filter((one) => one.type !== "null");
  if (choices && others?.length === 1 && others[0]) {
    const { anyOf, oneOf, ...own } = schema;
    return { ...resolve(others[0], root, depth + 1), ...own };
  }
  if (Array.isArray(schema.type)) {
    const types = schema.type.filter((type) => type !== "null");
    const { type, ...own } = schema;
    return types.length === 1 && types[0] ? { ...own, type: types[0] } : own;
  }
  return schema;
}

/** How a value of this schema, which was resolved, is asked for. */
export function shape(schema: Schema, root: Schema): Shape {
  if (schema.const !== undefined) return { kind: "constant", value: schema.const };
  if (schema.enum) return { kind: "choice", values: schema.enum };
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return chosen(choices.map((one) => resolve(one, root)));
  switch (schema.type) {
    case "string":
      return { kind: "text", secret: schema.writeOnly === true || schema.format === "password", format: schema.format };
    case "integer":
    case "number":
      return {
        kind: "number",
        step: schema.type === "integer" ? "1" : "any",
        min: schema.minimum,
        max: schema.maximum,
      };
    case "boolean":
      return { kind: "flag" };
    case "array":
      return typeof schema.items === "object" ? { kind: "list", item: schema.items } : { kind: "json" };
    case "object":
      return objectShape(schema);
    default:
      return schema.properties ? objectShape(schema) : { kind: "json" };
  }
}

function objectShape({ properties, required = [] }: Schema): Shape {
  // A map with names of its own is written as JSON.
  if (!properties) return { kind: "json" };
  const fields = Object.entries(properties).map(([name, schema]) => ({
    name,
    schema,
    isRequired: required.includes(name),
  }));
  // What must be there is asked for first.
  return {
    kind: "object",
    fields: [...fields.filter((one) => one.isRequired), ...fields.filter((one) => !one.isRequired)],
  };
}

/** Of several schemas: values to choose from if each is made of such, kinds of objects if each is one. */
function chosen(schemas: Schema[]): Shape {
  const values = schemas.map((one) => (one.const === undefined ? one.enum : [one.const]));
  if (values.every((list) => list !== undefined)) return { kind: "choice", values: values.flat() };
  if (schemas.every((one) => one.properties)) {
    return {
      kind: "variants",
      variants: schemas.map((schema, index) => ({ title: variantTitle(schema, index), schema })),
    };
  }
  return { kind: "json" };
}

function variantTitle(schema: Schema, index: number): string {
  const tags = Object.values(schema.properties ?? {}).map((property) => property.const);
  const tag = tags.find((value) => typeof value === "string");
  // Without a tag a variant is often an object with one field, which names it.
  return (
    tag ?? schema.title ?? (schema.required?.length === 1 ? schema.required[0] : undefined) ?? `variant ${index + 1}`
  );
}

/** What is there before somebody types: constants, and objects that must be there. */
export function initial(schema: Schema, root: Schema): unknown {
  const resolved = resolve(schema, root);
  const form = shape(resolved, root);
  switch (form.kind) {
    case "constant":
      return form.value;
    case "object": {
      const given = form.fields
        .filter((field) => field.isRequired)
        .map((field) => [field.name, initial(field.schema, root)] as const);
      return Object.fromEntries(given.filter(([, value]) => value !== undefined));
    }
    case "list":
      return [];
    case "flag":
      return false;
    default:
      return undefined;
  }
}

/** A value without the fields that nobody filled in. */
export function withoutAbsent(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => withoutAbsent(one) ?? null);
  if (value === null || typeof value !== "object") return value;
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(fields.map(([name, inner]) => [name, withoutAbsent(inner)]));
}
