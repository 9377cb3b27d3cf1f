import type { Job, Label, VisionResult } from '../api/contract'
import { count } from '../text'

/** The classes of pixels as labels, each as sure as its share is large. */
export function regionLabels(result: VisionResult): Label[] | null {
  return result.regions?.map(({ label, classId, share }) => ({ label, classId, confidence: share })) ?? null
}

/** What is said about a picture as a whole that is neither objects nor labels; null when nothing is. */
export function wholeText(result: VisionResult): string | null {
  if (result.embedding !== undefined) return `Embedding of ${count(result.embedding.length, 'number')}.`
  if (result.map?.least !== undefined && result.map.greatest !== undefined)
    return `Map of values from ${short(result.map.least)} to ${short(result.map.greatest)}.`
  return null
}

/** What is said about the answer of a filter, which makes a picture and finds nothing in it; null for all others. */
export function madeText({ engine, result }: Pick<Job, 'engine' | 'result'>): string | null {
  return engine === 'filter' && result !== null ? `Made a picture of ${result.width} × ${result.height} pixels.` : null
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)))
}
