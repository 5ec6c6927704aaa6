/** What happened because of what somebody did: shown for a while, wherever they are by then. */

export interface Notice {
  id: number;
  kind: "done" | "failed";
  text: string;
  link?: { href: string; text: string } | undefined;
}

/** Long enough to read two lines. */
const SHOWN_MS = 6_000;

class Notices {
  list = $state.raw<Notice[]>([]);
  #count = 0;

  done(text: string, link?: Notice["link"]): void {
    const id = this.#add("done", text, link);
    setTimeout(() => this.dismiss(id), SHOWN_MS);
  }

  /** Stays until it is dismissed: a failure that nobody saw is worse than one more click. */
  failed(what: string, fault: unknown): void {
    this.#add("failed", `${what}: ${fault instanceof Error ? fault.message : String(fault)}`);
  }

  dismiss(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }

  #add(kind: Notice["kind"], text: string, link?: Notice["link"]): number {
    const id = ++this.#count;
    this.list = [...this.list.slice(-3), { id, kind, text, link }];
    return id;
  }
}

export const notices = new Notices();
