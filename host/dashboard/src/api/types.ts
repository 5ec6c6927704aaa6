/** The API's types by their short names. They are made from the OpenAPI document: see types.mjs. */

import type { components, operations } from "$openapi";

type Schemas = components["schemas"];

export type Artifact = Schemas["Artifact"];
export type Attempt = Schemas["Attempt"];
export type Bill = Schemas["Bill"];
export type Enqueue = Schemas["Enqueue"];
export type Job = Schemas["Job"];
export type JobCounts = Schemas["JobCounts"];
export type JobPage = Schemas["JobPage"];
export type JobState = Schemas["JobState"];
export type LogLine = Schemas["LogLine"];
export type LogPage = Schemas["LogPage"];
export type Operation = Schemas["Operation"];
export type OperationFilter = Schemas["OperationFilter"];
export type OperationKind = Schemas["OperationKind"];
export type Problem = Schemas["Problem"];
export type ProgressEvent = Schemas["ProgressEvent"];
export type Queue = Schemas["Queue"];
export type QueuePatch = Schemas["QueuePatch"];
export type StateEvent = Schemas["StateEvent"];
export type Stats = Schemas["Stats"];
export type Task = Schemas["Task"];
export type TaskDetail = Schemas["TaskDetail"];
export type TaskVersion = Schemas["TaskVersion"];
export type TaskVersionList = Schemas["TaskVersionList"];
export type UploadedVersion = Schemas["UploadedVersion"];
export type Worker = Schemas["Worker"];

/** What narrows a list of jobs. */
export type JobQuery = NonNullable<operations["listJobs"]["parameters"]["query"]>;

/** The states in the order of a job's life. */
export const STATES = [
  "scheduled",
  "available",
  "running",
  "retryable",
  "completed",
  "discarded",
  "cancelled",
] as const satisfies readonly JobState[];

/** Whether a job in this state has ended. */
export function isFinal(state: JobState): boolean {
  return state === "completed" || state === "discarded" || state === "cancelled";
}
