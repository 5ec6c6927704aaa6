/** Light or dark. */

const KEY = "windlass-theme";
export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

class ThemeChoice {
  /** What was chosen; `auto` is what the system says. */
  chosen = $state<Theme>("auto");
  /** Counts up when colours may have changed: for what is drawn and does not follow by itself. */
  changes = $state(0);

  constructor() {
    const kept = read();
    this.choose(THEMES.find((theme) => theme === kept) ?? "auto");
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.changes++);
  }

  choose(theme: Theme): void {
    this.chosen = theme;
    document.documentElement.dataset["theme"] = theme;
    this.changes++;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // A browser that keeps nothing still shows what was chosen.
    }
  }
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export const theme = new ThemeChoice();
