/** The time, as the daemon has it: ages would be wrong by as much as this machine's clock is. */

/** A header gives whole seconds, and the answer was under way: smaller differences mean nothing. */
const BLUR_MS = 2_000;

let offset = 0;

class Clock {
  /** Now, in milliseconds since the epoch. It moves once a second. */
  now = $state(Date.now());

  constructor() {
    setInterval(() => (this.now = serverNow()), 1_000);
  }
}

export const clock = new Clock();

/** The daemon's time at this moment. */
export function serverNow(): number {
  return Date.now() + offset;
}

/** Takes note of the time that an answer was sent. */
export function serverTime(date: string | null): void {
  const sent = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(sent)) return;
  const difference = sent - Date.now();
  offset = Math.abs(difference) < BLUR_MS ? 0 : difference;
}
