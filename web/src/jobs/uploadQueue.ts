/** Work that can be called off while it waits and while it runs. */
export interface Ticket {
  cancel(): void
}

interface Entry {
  work: (signal: AbortSignal) => Promise<void>
  abort: AbortController
}

/** Runs at most `limit` pieces of work at once, the rest in the order they came. */
export class UploadQueue {
  readonly #limit: number
  readonly #waiting: Entry[] = []
  #running = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get waiting(): number {
    return this.#waiting.length
  }

  get running(): number {
    return this.#running
  }

  /** `work` deals with its own errors; what it throws is reported to the console and the queue goes on. */
  add(work: (signal: AbortSignal) => Promise<void>): Ticket {
    const entry: Entry = { work, abort: new AbortController() }
    this.#waiting.push(entry)
    this.#startNext()
    return {
      cancel: () => {
        const index = this.#waiting.indexOf(entry)
        if (index >= 0) this.#waiting.splice(index, 1)
        entry.abort.abort()
      },
    }
  }

  #startNext(): void {
    while (this.#running < this.#limit) {
      const entry = this.#waiting.shift()
      if (entry === undefined) return
      this.#running++
      void this.#run(entry)
    }
  }

  async #run(entry: Entry): Promise<void> {
    try {
      await entry.work(entry.abort.signal)
    } catch (error) {
      console.error(error)
    } finally {
      this.#running--
      this.#startNext()
    }
  }
}
