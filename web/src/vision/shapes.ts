import type { Detection } from '../api/contract'

/** What is drawn of a detection besides its upright box, in pixels of the picture. */
export interface Shapes {
  /** An SVG path around its pixels. */
  outline: string | null
  /** The corners of its turned box, as SVG takes them. */
  turned: string | null
  /** Lines between joints. */
  bones: { x1: number; y1: number; x2: number; y2: number }[]
  joints: { x: number; y: number; name: string | null }[]
}

/** Joints that are less sure than this are mostly guesses about what is hidden. */
export const surestJoint = 0.5

export function shapesOf(detection: Detection, skeleton: readonly number[][] = []): Shapes {
  const keypoints = detection.keypoints ?? []
  const seen = keypoints.map(({ confidence }) => confidence === null || confidence >= surestJoint)
  return {
    outline: outlineOf(detection.mask?.polygons ?? []),
    turned: detection.oriented?.corners.map(({ x, y }) => `${x},${y}`).join(' ') ?? null,
    bones: skeleton.flatMap(([from, to]) => {
      const [a, b] = [keypoints[from ?? -1], keypoints[to ?? -1]]
      return a !== undefined && b !== undefined && seen[from ?? -1] && seen[to ?? -1] ? [{ x1: a.x, y1: a.y, x2: b.x, y2: b.y }] : []
    }),
    joints: keypoints.filter((_, i) => seen[i]).map(({ x, y, name }) => ({ x, y, name })),
  }
}

/** True when there is nothing to draw but the box. */
export function isPlain({ outline, turned, bones, joints }: Shapes): boolean {
  return outline === null && turned === null && bones.length === 0 && joints.length === 0
}

function outlineOf(polygons: readonly number[][]): string | null {
  const paths = polygons.filter(points => points.length >= 6).map(points => {
    let path = ''
    for (let i = 0; i + 1 < points.length; i += 2) path += `${i === 0 ? 'M' : 'L'}${points[i]} ${points[i + 1]}`
    return `${path}Z`
  })
  return paths.length === 0 ? null : paths.join('')
}
