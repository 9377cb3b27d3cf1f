import type { Box } from '../api/contract'

/** Where a box lies in its picture, in percent of the picture's edges. */
export interface Placement {
  left: number
  top: number
  width: number
  height: number
  /** The name does not fit above the box, so it goes inside. */
  nameInside: boolean
  /** The name would leave the picture on the right, so it ends with the box. */
  nameAtEnd: boolean
}

const clamp = (value: number, max: number) => Math.min(Math.max(value, 0), max)

/** Percentages rather than pixels: the drawing follows the picture's size on the page by itself. */
export function placeBox(box: Box, width: number, height: number): Placement {
  const x1 = clamp(box.x1, width)
  const y1 = clamp(box.y1, height)
  const x2 = clamp(box.x2, width)
  const y2 = clamp(box.y2, height)
  const left = (x1 / width) * 100
  const top = (y1 / height) * 100
  return {
    left,
    top,
    width: ((x2 - x1) / width) * 100,
    height: ((y2 - y1) / height) * 100,
    nameInside: top < 7,
    nameAtEnd: left > 70,
  }
}
