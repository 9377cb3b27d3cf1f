import { describe, expect, it } from 'vitest'
import { placeBox } from '../src/vision/placement'

describe('a box over its picture', () => {
  it('is placed in percent of the picture', () => {
    expect(placeBox({ x1: 200, y1: 300, x2: 400, y2: 900 }, 800, 1200)).toMatchObject({ left: 25, top: 25, width: 25, height: 50 })
  })

  it('does not leave the picture', () => {
    expect(placeBox({ x1: -20, y1: -5, x2: 820, y2: 700 }, 800, 600)).toMatchObject({ left: 0, top: 0, width: 100, height: 100 })
  })

  it('has no negative size when it lies outside', () => {
    expect(placeBox({ x1: 900, y1: 10, x2: 950, y2: 20 }, 800, 600)).toMatchObject({ left: 100, width: 0 })
  })

  it('takes its name inside at the upper edge', () => {
    expect(placeBox({ x1: 10, y1: 4, x2: 60, y2: 80 }, 100, 100).nameInside).toBe(true)
    expect(placeBox({ x1: 10, y1: 40, x2: 60, y2: 80 }, 100, 100).nameInside).toBe(false)
  })

  it('ends its name with itself at the right edge', () => {
    expect(placeBox({ x1: 90, y1: 40, x2: 99, y2: 80 }, 100, 100).nameAtEnd).toBe(true)
    expect(placeBox({ x1: 10, y1: 40, x2: 99, y2: 80 }, 100, 100).nameAtEnd).toBe(false)
  })
})
