/** Numbers, sizes and times for people. */

const COUNT = new Intl.NumberFormat("en");
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const EXACT = new Intl.DateTimeFormat(undefined, {
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  timeZoneName: "short",
});
const TIME = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hourCycle: "h23",
});

/** `1,234,567`. */
export const count = (value: number): string => COUNT.format(value);

/** `1.2M`. */
export const short = (value: number): string => (value < 10_000 ? COUNT.format(value) : SHORT.format(value));

/** `1 job`, `2 jobs`. */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** A time with its date and zone. */
export const exact = (time: string): string => EXACT.format(new Date(time));

/** The time of the day. */
export const clockTime = (time: string): string => TIME.format(new Date(time));

/** `850 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  return wholeSpan(Math.round(ms / 1_000));
}

/** The same without fractions. Of two units the smaller is left out where it says little: `1 min 5 s`, but `20 min`. */
function wholeSpan(seconds: number, isRough = false): string {
  const parts: [number, string][] = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const first = parts.findIndex(([size]) => seconds >= size);
  if (first < 0) return "0 s";
  let rest = seconds;
  const size = parts[first]?.[0] ?? 1;
  const shown = isRough && seconds >= size * 10 ? 1 : 2;
  const words = parts.slice(first, first + shown).map(([size, unit]) => {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    return whole > 0 ? `${whole} ${unit}` : "";
  });
  return words.filter(Boolean).join(" ");
}

/** `5 s ago`, `in 3 min 20 s`, `now`. */
export function relative(time: string, now: number): string {
  const seconds = Math.round((now - Date.parse(time)) / 1_000);
  // Two clocks that differ by less than this agree.
  if (Math.abs(seconds) < 2) return "now";
  const text = wholeSpan(Math.abs(seconds), true);
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

/** `512 B`, `1.5 KiB`, `3.2 MiB`. */
export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let index = 0;
  let rest = value;
  while (rest >= 1_024 && index < units.length - 1) {
    rest /= 1_024;
    index++;
  }
  return `${index === 0 || rest >= 100 ? Math.round(rest) : rest.toFixed(1)} ${units[index]}`;
}

/** The end of an id: what comes before is the time, and the same for jobs of the same minute. */
export const tail = (id: string): string => id.slice(-8);

/** The start of a digest. */
export const digest = (value: string): string => value.slice(0, 10);

/** `out_of_memory` as words. */
export const words = (name: string): string => name.replaceAll("_", " ");
