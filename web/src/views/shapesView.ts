import type { VisionResult } from '../api/contract'
import { svg } from '../dom'
import type { Finding } from '../vision/findings'
import { hueOf } from '../vision/hue'
import { isPlain, shapesOf } from '../vision/shapes'

/** Outlines, turned boxes and skeletons over a picture, under its boxes, which take the pointer. */
export class ShapesView {
  readonly element = svg('svg', { class: 'shapes', 'aria-hidden': 'true', preserveAspectRatio: 'none' })
  readonly #made = new Map<number, SVGGElement | null>()

  /** `findings` in the order in which they are drawn. */
  show(result: VisionResult, findings: readonly Finding[]): void {
    this.element.setAttribute('viewBox', `0 0 ${result.width} ${result.height}`)
    const shown = findings.map(finding => this.#shape(finding, result)).filter(shape => shape !== null)
    this.element.replaceChildren(...shown)
  }

  /** Forgets what was drawn, as of another answer. */
  reset(): void {
    this.#made.clear()
    this.element.replaceChildren()
  }

  mark(index: number | null): void {
    this.element.classList.toggle('pointing', index !== null)
    for (const [at, shape] of this.#made) shape?.classList.toggle('active', at === index)
  }

  #shape({ index, detection }: Finding, result: VisionResult): SVGGElement | null {
    const known = this.#made.get(index)
    if (known !== undefined) return known

    const shapes = shapesOf(detection, result.skeleton)
    const dot = Math.max(result.width, result.height) / 250
    const shape = isPlain(shapes)
      ? null
      : svg(
          'g',
          { class: 'shape', 'data-label': detection.label },
          shapes.outline === null ? null : svg('path', { class: 'outline', d: shapes.outline, 'data-testid': 'outline' }),
          shapes.turned === null ? null : svg('polygon', { class: 'turned', points: shapes.turned, 'data-testid': 'turned' }),
          ...shapes.bones.map(bone => svg('line', { class: 'bone', ...bone, 'data-testid': 'bone' })),
          ...shapes.joints.map(({ x, y, name }) =>
            svg('circle', { class: 'joint', cx: x, cy: y, r: dot, 'data-name': name, 'data-testid': 'joint' }),
          ),
        )
    shape?.style.setProperty('--hue', String(hueOf(detection.classId)))
    this.#made.set(index, shape)
    return shape
  }
}
