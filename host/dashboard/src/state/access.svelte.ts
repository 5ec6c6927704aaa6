/** Whether the daemon lets us in. */

class Access {
  /** What it said when it did not; undefined while it does. */
  demand = $state<string>();

  /** It does not know who we are. */
  demanded(why: string): void {
    this.demand = why;
  }

  /** It answered. */
  granted(): void {
    if (this.demand !== undefined) this.demand = undefined;
  }
}

export const access = new Access();
