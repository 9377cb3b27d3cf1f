const storageName = 'spotter-key'

// Where a browser keeps nothing, the key lasts as long as the page.
let kept: string | null = read()

/** The API key that was given on this page, until its tab is closed; null when there is none. */
export function apiKey(): string | null {
  return kept
}

/** From now on requests show this key; null for none. */
export function keepKey(key: string | null): void {
  kept = key
  try {
    if (key === null) sessionStorage.removeItem(storageName)
    else sessionStorage.setItem(storageName, key)
  } catch {
    // Then it is kept in memory only.
  }
}

/** What a request sends along to be let in. */
export function keyHeaders(): Record<string, string> {
  return kept === null ? {} : { Authorization: `Bearer ${kept}` }
}

function read(): string | null {
  try {
    return sessionStorage.getItem(storageName)
  } catch {
    return null
  }
}
