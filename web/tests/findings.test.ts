import { describe, expect, it } from 'vitest'
import type { Detection } from '../src/api/contract'
import { answersOf, countLabels, findingsAbove, largestFirst, nameOf } from '../src/vision/findings'

const found = (label: string, confidence: number, size = 10): Detection => ({
  label,
  classId: label.length,
  confidence,
  box: { x1: 0, y1: 0, x2: size, y2: size },
})

const detections = [found('person', 0.3), found('bus', 0.9), found('person', 0.25), found('dog', 0.24)]

describe('what the slider shows', () => {
  it('keeps what is exactly as sure as asked for', () => {
    expect(findingsAbove(detections, 0.25).map(f => f.detection.confidence)).toEqual([0.9, 0.3, 0.25])
  })

  it('remembers where each stood in the answer', () => {
    expect(findingsAbove(detections, 0.25).map(f => f.index)).toEqual([1, 0, 2])
  })

  it('leaves the answer as it was', () => {
    const before = structuredClone(detections)
    findingsAbove(detections, 0.5)
    expect(detections).toEqual(before)
  })
})

describe('text that was read', () => {
  const result = { width: 1, height: 1, detections: null, labels: null, summary: null }

  it('is the name of its box, unless there is none', () => {
    const box = found('plate', 0.9)
    expect(nameOf(box)).toBe('plate')
    expect(nameOf({ ...box, then: {} })).toBe('plate')
    expect(nameOf({ ...box, then: { reading: { text: '', confidence: 0 } } })).toBe('plate')
    expect(nameOf({ ...box, then: { reading: { text: '京A 1', confidence: 0.8 } } })).toBe('京A 1')
  })

  it('is the answer about a picture that is one line', () => {
    expect(answersOf(result)).toBeNull()
    expect(answersOf({ ...result, reading: { text: 'AB', confidence: 0.8 } })).toEqual([{ label: 'AB', classId: 0, confidence: 0.8 }])
    expect(answersOf({ ...result, reading: { text: '', confidence: 0 } })).toEqual([])
  })
})

describe('the summary', () => {
  it('counts only what is shown, most first', () => {
    expect(countLabels(findingsAbove(detections, 0.25))).toEqual([
      { label: 'person', classId: 6, count: 2 },
      { label: 'bus', classId: 3, count: 1 },
    ])
  })

  it('is empty when nothing is sure enough', () => {
    expect(countLabels(findingsAbove(detections, 0.95))).toEqual([])
  })

  it('orders equal counts by name', () => {
    const labels = countLabels(findingsAbove([found('zebra', 0.9), found('ant', 0.8)], 0)).map(c => c.label)
    expect(labels).toEqual(['ant', 'zebra'])
  })
})

it('draws small boxes after large ones, so that they can be pointed at', () => {
  const order = largestFirst(findingsAbove([found('tie', 0.9, 5), found('person', 0.5, 50)], 0))
  expect(order.map(f => f.detection.label)).toEqual(['person', 'tie'])
})
