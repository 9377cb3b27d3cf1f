import type { Job } from '../api/contract'
import { hasEnded } from '../api/contract'
import { answersOf, countLabels, findingsAbove } from './findings'

/** What pictures have in common, by which they can be counted and picked out. */
export interface Group {
  /** `label: NAME`, or how the picture stands. */
  key: string
  text: string
  classId: number | null
  /** Objects of a label, or pictures. */
  count: number
}

/** A picture of an album: its job, null as long as the service has none; whether it was not accepted. */
export interface AlbumPicture {
  job: Job | null
  refused: boolean
}

const nothing = { key: 'nothing', text: 'nothing found' }
const failed = { key: 'failed', text: 'failed' }

/** The groups that a picture is in, each with how often it counts there. */
export function groupsOf({ job, refused }: AlbumPicture, confidence: number): Group[] {
  if (refused || (job !== null && hasEnded(job) && job.state !== 'succeeded' && job.state !== 'cancelled')) return [{ ...failed, classId: null, count: 1 }]
  if (job?.state !== 'succeeded' || job.result === null) return []
  const { detections } = job.result
  if (detections === null || detections === undefined) {
    const best = answersOf(job.result)?.[0]
    return best !== undefined && best.confidence >= confidence ? [group(best.label, best.classId, 1)] : []
  }
  const found = countLabels(findingsAbove(detections, confidence))
  return found.length === 0 ? [{ ...nothing, classId: null, count: 1 }] : found.map(({ label, classId, count }) => group(label, classId, count))
}

/** The groups of all pictures: labels, most objects first, then what has none and what failed. */
export function groupsOfAll(pictures: Iterable<AlbumPicture>, confidence: number): Group[] {
  const all = new Map<string, Group>()
  for (const picture of pictures) {
    for (const one of groupsOf(picture, confidence)) {
      const known = all.get(one.key)
      if (known === undefined) all.set(one.key, { ...one })
      else known.count += one.count
    }
  }
  const rank = ({ key }: Group) => (key === failed.key ? 2 : key === nothing.key ? 1 : 0)
  return [...all.values()].sort((a, b) => rank(a) - rank(b) || b.count - a.count || a.text.localeCompare(b.text))
}

function group(label: string, classId: number, count: number): Group {
  return { key: `label: ${label}`, text: label, classId, count }
}
