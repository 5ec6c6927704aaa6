/**
 * The one place where requests leave and answers arrive: what a request carries, whether the daemon can be reached, and what becomes of
 * an answer that refuses it.
 */

import { access } from "../state/access.svelte";
import { serverTime } from "../state/clock.svelte";
import { connection } from "../state/connection.svelte";
import type { Problem } from "./types";

/** Where the API stands. */
export const API = "/api/v1";

/** An answer that says why not. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly problem: Partial<Problem>,
  ) {
    super(problem.detail ?? problem.title ?? `The daemon answered with status ${status}.`);
  }
}

/** No answer came. */
export class Unreachable extends Error {}

export interface Request {
  method?: string;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  body?: Blob;
  contentType?: string;
  signal?: AbortSignal | undefined;
}

/** Sends a request, and returns what the answer says. */
export async function request<T>(
  path: string,
  { method = "GET", json, body, contentType, signal }: Request = {},
): Promise<T> {
  const headers = new Headers({ accept: "application/json" });
  if (json !== undefined || contentType) headers.set("content-type", contentType ?? "application/json");
  const content = json === undefined ? body : JSON.stringify(json);
  let response: Response;
  try {
    response = await fetch(API + path, {
      method,
      headers,
      credentials: "same-origin",
      ...(content === undefined ? {} : { body: content }),
      ...(signal ? { signal } : {}),
    });
  } catch (fault) {
    if (signal?.aborted) throw fault;
    connection.lost();
    throw new Unreachable("The daemon cannot be reached.", { cause: fault });
  }
  connection.found();
  serverTime(response.headers.get("date"));
  const answer = await parsed(response);
  if (response.ok) {
    access.granted();
    return answer as T;
  }
  const refusal = new Refusal(response.status, (answer ?? {}) as Partial<Problem>);
  // Who may do what is decided by the daemon alone; the page only shows what it said.
  if (response.status === 401) access.demanded(refusal.message);
  throw refusal;
}

async function parsed(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    // A proxy may answer in the daemon's place, with a page.
    return undefined;
  }
}

/** A path and what follows the question mark. Empty values are left out. */
export function withQuery(path: string, query: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0)) continue;
    params.set(name, Array.isArray(value) ? value.join(",") : String(value));
  }
  const text = params.toString();
  return text === "" ? path : `${path}?${text}`;
}
