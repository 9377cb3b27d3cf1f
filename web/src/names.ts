const storageKey = 'spotter.names'
const most = 200

/**
 * The file names of pictures sent from this browser, by job. The service does not keep names; people look for them.
 */
export class FileNames {
  readonly #names: Map<string, string>

  constructor() {
    this.#names = new Map(read())
  }

  of(job: string): string | null {
    return this.#names.get(job) ?? null
  }

  remember(job: string, name: string): void {
    this.#names.set(job, name)
    for (const oldest of this.#names.keys()) {
      if (this.#names.size <= most) break
      this.#names.delete(oldest)
    }
    try {
      localStorage.setItem(storageKey, JSON.stringify([...this.#names]))
    } catch {
      // Storage may be full or forbidden; names are a comfort, so they last as long as the page then.
    }
  }
}

function read(): [string, string][] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '[]')
    return Array.isArray(stored) ? stored.filter(isPair) : []
  } catch {
    return []
  }
}

function isPair(entry: unknown): entry is [string, string] {
  return Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'string'
}
