import { describe, expect, it } from 'vitest'
import type { Job } from '../src/api/contract'
import { type AlbumPicture, groupsOf, groupsOfAll } from '../src/vision/album'

const box = { x1: 0, y1: 0, x2: 1, y2: 1 }

function picture(found: [string, number][] | null, over: Partial<Job> = {}): AlbumPicture {
  const detections = found?.map(([label, confidence], classId) => ({ label, classId, confidence, box })) ?? null
  const result = { width: 1, height: 1, detections, labels: null, summary: null }
  return { refused: false, job: { id: 'x', state: 'succeeded', result, ...over } as Job }
}

describe('an album', () => {
  it('counts objects per label over all pictures, and then what has none and what failed', () => {
    const pictures = [
      picture([['car', 0.9], ['person', 0.8]]),
      picture([['person', 0.5], ['dog', 0.1]]),
      picture([['dog', 0.1]]),
      picture(null, { state: 'failed', result: null }),
      { refused: true, job: null },
      picture(null, { state: 'queued', result: null }),
    ]
    expect(groupsOfAll(pictures, 0.25).map(({ text, count }) => `${count} ${text}`)).toEqual(['2 person', '1 car', '1 nothing found', '2 failed'])
    expect(groupsOfAll(pictures, 0.05).map(({ text, count }) => `${count} ${text}`)).toEqual(['2 dog', '2 person', '1 car', '2 failed'])
  })

  it('takes a label of the whole picture like an object in it', () => {
    const cat = picture(null)
    cat.job!.result!.labels = [{ label: 'tabby', classId: 3, confidence: 0.7 }, { label: 'tiger', classId: 4, confidence: 0.6 }]
    expect(groupsOf(cat, 0.25).map(({ text }) => text)).toEqual(['tabby'])
    expect(groupsOf(cat, 0.8)).toEqual([])
  })

  it('keeps a label that is called like a state apart from it', () => {
    expect(groupsOfAll([picture([['failed', 0.9]]), { refused: true, job: null }], 0.25)).toHaveLength(2)
  })
})
