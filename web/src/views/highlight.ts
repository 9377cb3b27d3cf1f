/**
 * Which finding of a picture is pointed at. Pointing passes, a choice (click, tap, Enter) stays; pointing wins while
 * it lasts.
 */
export class Highlight {
  #pointed: number | null = null
  #chosen: number | null = null
  readonly #shown: (index: number | null, chosen: number | null) => void

  constructor(shown: (index: number | null, chosen: number | null) => void) {
    this.#shown = shown
  }

  point(index: number | null): void {
    this.#pointed = index
    this.#tell()
  }

  /** Choosing the chosen one again lets it go. */
  choose(index: number): void {
    this.#chosen = this.#chosen === index ? null : index
    this.#tell()
  }

  clear(): void {
    this.#pointed = null
    this.#chosen = null
    this.#tell()
  }

  /** Lets an element stand for a finding: hover and focus point at it, a click chooses it. */
  bind(element: HTMLElement, index: number): void {
    element.addEventListener('pointerenter', () => this.point(index))
    element.addEventListener('pointerleave', () => this.point(null))
    element.addEventListener('focus', () => {
      if (element.matches(':focus-visible')) this.point(index)
    })
    element.addEventListener('blur', () => this.point(null))
    element.addEventListener('click', () => this.choose(index))
    element.addEventListener('keydown', event => {
      if (event.key === 'Escape') this.clear()
    })
  }

  #tell(): void {
    this.#shown(this.#pointed ?? this.#chosen, this.#chosen)
  }
}
