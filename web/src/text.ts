/** How the page words numbers. */

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}

/** What is to be said of jobs that wait for a model that nobody has; empty when there are none. */
export function inVain(unserved: number): string {
  if (unserved === 0) return ''
  return `${count(unserved, 'picture waits', 'pictures wait')} for a model that no worker has`
}

/** 0.4 ms, 48 ms, 1.2 s, 35 s, 3 min. */
export function duration(ms: number): string {
  if (ms < 9.95) return `${Math.max(0, ms).toFixed(1)} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`
  if (ms < 99_500) return `${Math.round(ms / 1_000)} s`
  return `${Math.round(ms / 60_000)} min`
}

/** Worker-hours: 0.02 h, 1.5 h, 35 h. */
export function hours(n: number): string {
  return `${n < 0.095 ? n.toFixed(3) : n < 9.95 ? n.toFixed(2) : n.toFixed(0)} h`
}

export function bytes(n: number): string {
  if (n < 1_000) return `${n} B`
  if (n < 999_500) return `${Math.round(n / 1_000)} kB`
  return `${(n / 1_000_000).toFixed(1)} MB`
}

export function ago(thenMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - thenMs) / 1_000))
  if (seconds < 5) return 'just now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`
  return `${Math.floor(seconds / 86_400)} d ago`
}

/** Where a queued job stands, as far as the server knows. */
export function standing(position: number | null, etaSeconds: number | null): string {
  const place = position === null ? 'Queued' : position === 0 ? 'Next in line' : `${position} ahead in line`
  if (etaSeconds === null) return place
  const seconds = Math.max(1, Math.round(etaSeconds))
  return `${place}, about ${seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`}`
}
