/** The calls of the API that the pages use. */

import { API, request, withQuery } from "./client";
import type {
  Attempt,
  Enqueue,
  Job,
  JobPage,
  JobQuery,
  Operation,
  OperationFilter,
  OperationKind,
  Queue,
  QueuePatch,
  Stats,
  Task,
  TaskDetail,
  TaskVersionList,
  UploadedVersion,
  Worker,
} from "./types";

const part = encodeURIComponent;

export const getStats = (signal?: AbortSignal) => request<Stats>("/stats", { signal });

export const listJobs = (query: JobQuery, signal?: AbortSignal) =>
  request<JobPage>(withQuery("/jobs", query), { signal });
export const getJob = (id: string, signal?: AbortSignal) => request<Job>(`/jobs/${part(id)}`, { signal });
export const enqueueJob = (json: Enqueue) => request<Job>("/jobs", { method: "POST", json });
export const commandJob = (kind: OperationKind, id: string) =>
  request<Job>(`/jobs/${part(id)}/${kind}`, { method: "POST" });
export const listAttempts = (id: string, signal?: AbortSignal) =>
  request<{ attempts: Attempt[] }>(`/jobs/${part(id)}/attempts`, { signal });

export const startOperation = (kind: OperationKind, json: OperationFilter) =>
  request<Operation>(`/jobs/${kind}`, { method: "POST", json });
export const getOperation = (id: string, signal?: AbortSignal) =>
  request<Operation>(`/operations/${part(id)}`, { signal });

export const listTasks = (signal?: AbortSignal) => request<{ tasks: Task[] }>("/tasks", { signal });
export const getTask = (name: string, signal?: AbortSignal) => request<TaskDetail>(`/tasks/${part(name)}`, { signal });
export const listVersions = (name: string, signal?: AbortSignal) =>
  request<TaskVersionList>(`/tasks/${part(name)}/versions`, { signal });
export const uploadTask = (name: string, body: Blob) =>
  request<UploadedVersion>(`/tasks/${part(name)}`, { method: "PUT", body, contentType: "application/wasm" });
export const rollBackTask = (name: string, digest?: string) =>
  request<TaskVersionList>(`/tasks/${part(name)}/rollback`, { method: "POST", json: digest ? { digest } : {} });
export const pinTask = (name: string, pin: boolean) =>
  request<TaskVersionList>(`/tasks/${part(name)}/${pin ? "pin" : "unpin"}`, { method: "POST", json: {} });
export const deleteTask = (name: string) => request<void>(`/tasks/${part(name)}`, { method: "DELETE" });

export const listQueues = (signal?: AbortSignal) => request<{ queues: Queue[] }>("/queues", { signal });
export const changeQueue = (name: string, json: QueuePatch) =>
  request<Queue>(`/queues/${part(name)}`, { method: "PATCH", json, contentType: "application/merge-patch+json" });

export const listWorkers = (signal?: AbortSignal) => request<{ workers: Worker[] }>("/workers", { signal });

/** Where a job's event stream is, from the event with this id on. */
export const eventsUrl = (id: string, after: number) =>
  API + withQuery(`/jobs/${part(id)}/events`, { logs: true, after: after || undefined });

/** Where a job's log is, as the API gives it. */
export const logUrl = (id: string) => API + withQuery(`/jobs/${part(id)}/logs`, { limit: 10_000 });
