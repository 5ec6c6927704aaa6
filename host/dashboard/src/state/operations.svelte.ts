/** Cancels and retries of all jobs that match: done in the background by the daemon, followed here to their end. */

import { getOperation, startOperation } from "../api/calls";
import { Refusal } from "../api/client";
import type { Operation, OperationFilter, OperationKind } from "../api/types";

/** How often one is looked at. */
const EVERY_MS = 700;
/** How long one that is done is shown. */
const SHOWN_MS = 10_000;

interface Followed {
  id: string;
  title: string;
  operation: Operation;
}

class Operations {
  list = $state.raw<Followed[]>([]);
  /** Counts up when one is done: lists may have changed. */
  ended = $state(0);

  /** Starts one, and follows it. */
  async start(kind: OperationKind, filter: OperationFilter): Promise<void> {
    const operation = await startOperation(kind, filter);
    const title = kind === "cancel" ? "Cancel of all that match" : "Retry of all that match";
    this.list = [...this.list, { id: operation.id, title, operation }];
    this.#follow(operation.id);
  }

  dismiss(id: string): void {
    this.list = this.list.filter((one) => one.id !== id);
  }

  #follow(id: string): void {
    const look = async () => {
      try {
        const operation = await getOperation(id);
        this.list = this.list.map((one) => (one.id === id ? { ...one, operation } : one));
        if (operation.finished_at) {
          this.ended++;
          setTimeout(() => this.dismiss(id), SHOWN_MS);
          return;
        }
      } catch (fault) {
        // One that is not there any more does not come back; all else passes.
        if (fault instanceof Refusal && fault.status === 404) return this.dismiss(id);
      }
      setTimeout(() => void look(), EVERY_MS);
    };
    void look();
  }
}

export const operations = new Operations();
