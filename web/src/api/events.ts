/** Puts the events of a stream (text/event-stream) together from the pieces in which it arrives. */
export class EventReader {
  #rest = ''
  #data: string[] = []
  readonly #onEvent: (data: string) => void

  constructor(onEvent: (data: string) => void) {
    this.#onEvent = onEvent
  }

  /** Takes the next piece of text; pieces may end anywhere. */
  take(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#line(line.endsWith('\r') ? line.slice(0, -1) : line)
  }

  #line(line: string): void {
    if (line === '') {
      if (this.#data.length > 0) this.#onEvent(this.#data.join('\n'))
      this.#data = []
    } else if (line.startsWith('data:')) {
      this.#data.push(line.slice(line.charAt(5) === ' ' ? 6 : 5))
    }
  }
}
