import { setText } from './dom'

const gatherMs = 1_000

/** Tells screen readers what happened; what comes within a second is said at once, and a flood is counted. */
export class Announcer {
  readonly #region: HTMLElement
  #pending: string[] = []

  constructor(region: HTMLElement) {
    this.#region = region
  }

  say(text: string): void {
    this.#pending.push(text)
    if (this.#pending.length > 1) return
    setTimeout(() => {
      const said = this.#pending.length > 3 ? `${this.#pending.length} pictures have ended.` : this.#pending.join('. ')
      this.#pending = []
      setText(this.#region, said)
    }, gatherMs)
  }
}
