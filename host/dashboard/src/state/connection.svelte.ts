/** Whether the daemon answers. Whoever asks it something says how that went; everybody goes on asking, so it heals by itself. */

class Connection {
  /** Since when no answer has come, by this machine's clock; undefined while answers come. */
  lostAt = $state<number>();

  lost(): void {
    this.lostAt ??= Date.now();
  }

  found(): void {
    if (this.lostAt !== undefined) this.lostAt = undefined;
  }
}

export const connection = new Connection();
