/** A place that shows its end as it grows, unless somebody has scrolled up to read. */

/** Nobody scrolls to the very last pixel. */
const NEAR_PX = 24;

export class End {
  #place: HTMLElement | undefined;
  #follows = true;

  /** For `{@attach}`. */
  readonly attach = (place: HTMLElement): (() => void) => {
    this.#place = place;
    const scrolled = () => (this.#follows = place.scrollHeight - place.scrollTop - place.clientHeight < NEAR_PX);
    place.addEventListener("scroll", scrolled, { passive: true });
    this.grown();
    return () => place.removeEventListener("scroll", scrolled);
  };

  /** There is more in it. */
  grown(): void {
    if (this.#follows && this.#place) this.#place.scrollTop = this.#place.scrollHeight;
  }
}
