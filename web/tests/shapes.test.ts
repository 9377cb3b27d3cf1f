import { describe, expect, it } from 'vitest'
import type { Detection } from '../src/api/contract'
import { isPlain, shapesOf } from '../src/vision/shapes'

const detection = (more: Partial<Detection>): Detection => ({
  label: 'person',
  classId: 0,
  confidence: 0.9,
  box: { x1: 0, y1: 0, x2: 10, y2: 10 },
  ...more,
})

describe('the shapes of a detection', () => {
  it('are none when it only has a box', () => {
    expect(isPlain(shapesOf(detection({})))).toBe(true)
  })

  it('outline every part of a mask, and leave out what has no area', () => {
    const { outline } = shapesOf(detection({ mask: { polygons: [[0, 0, 4, 0, 4, 4], [6, 6, 8, 6, 8, 8.5, 6, 8], [1, 1, 2, 2], []] } }))
    expect(outline).toBe('M0 0L4 0L4 4ZM6 6L8 6L8 8.5L6 8Z')
    expect(shapesOf(detection({ mask: { polygons: [] } })).outline).toBeNull()
  })

  it('go around a turned box', () => {
    const corners = [{ x: 5, y: 0 }, { x: 10, y: 5 }, { x: 5, y: 10 }, { x: 0, y: 5 }]
    expect(shapesOf(detection({ oriented: { corners } })).turned).toBe('5,0 10,5 5,10 0,5')
  })

  it('join what is sure enough to be seen', () => {
    const point = (x: number, confidence: number | null) => ({ name: null, x, y: x, confidence })
    const keypoints = [point(1, 0.9), point(2, 0.2), point(3, null)]
    const { bones, joints } = shapesOf(detection({ keypoints }), [[0, 1], [0, 2], [1, 2], [0, 17], [2]])
    expect(bones).toEqual([{ x1: 1, y1: 1, x2: 3, y2: 3 }])
    expect(joints.map(({ x }) => x)).toEqual([1, 3])
  })
})
