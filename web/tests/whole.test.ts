import { describe, expect, it } from 'vitest'
import type { VisionResult } from '../src/api/contract'
import { madeText, regionLabels, wholeText } from '../src/vision/whole'

const nothing: VisionResult = { width: 4, height: 3, detections: null, labels: null, summary: null }

describe('what is said of a whole picture', () => {
  it('lists classes of pixels by their shares', () => {
    const result = { ...nothing, regions: [{ label: 'road', classId: 0, share: 0.6 }, { label: 'car', classId: 13, share: 0.1 }], map: { file: 'labels.png' } }
    expect(regionLabels(result)).toEqual([
      { label: 'road', classId: 0, confidence: 0.6 },
      { label: 'car', classId: 13, confidence: 0.1 },
    ])
    expect(wholeText(result)).toBeNull()
  })

  it('gives the range of values', () => {
    expect(wholeText({ ...nothing, map: { file: 'depth.png', least: 0, greatest: 630.12345 } })).toBe('Map of values from 0 to 630.1.')
  })

  it('counts the numbers of an embedding', () => {
    expect(wholeText({ ...nothing, embedding: [0, 1] })).toBe('Embedding of 2 numbers.')
  })

  it('tells the size of a picture that was made', () => {
    expect(madeText({ engine: 'filter', result: nothing })).toBe('Made a picture of 4 × 3 pixels.')
    expect(madeText({ engine: 'detect', result: nothing })).toBeNull()
    expect(madeText({ engine: 'filter', result: null })).toBeNull()
  })

  it('has nothing to say of objects', () => {
    expect(wholeText({ ...nothing, detections: [] })).toBeNull()
    expect(regionLabels(nothing)).toBeNull()
  })
})
