import type { VisionResult } from '../api/contract'
import { showPicture } from '../api/download'
import { el } from '../dom'
import { percent } from '../text'
import { type Finding, largestFirst, nameOf } from '../vision/findings'
import { hueOf } from '../vision/hue'
import { placeBox } from '../vision/placement'
import type { Highlight } from './highlight'
import { moveWithArrows } from './roving'
import { ShapesView } from './shapesView'

/** A picture with what was found drawn over it. */
export class PictureView {
  readonly element: HTMLElement
  readonly #image: HTMLImageElement
  readonly #missing: HTMLElement
  readonly #shapes = new ShapesView()
  readonly #boxes: HTMLElement
  readonly #roving: { refresh(): void }
  readonly #made = new Map<number, HTMLButtonElement>()
  readonly #highlight: Highlight
  readonly #source: string
  #shown: string

  constructor(source: string, name: string, missingText: string, highlight: Highlight) {
    this.#highlight = highlight
    this.#source = source
    this.#shown = source
    this.#image = el('img', { alt: name, decoding: 'async', draggable: 'false' })
    this.#missing = el('p', { class: 'missing', hidden: true }, missingText)
    this.#boxes = el('div', { class: 'boxes', role: 'group', 'aria-label': 'Boxes; arrow keys move between them' })
    this.#boxes.hidden = true
    this.element = el('div', { class: 'frame' }, this.#image, this.#missing, this.#shapes.element, this.#boxes)
    this.#roving = moveWithArrows(this.#boxes, '.box')

    // Natural sizes are those of the upright picture, as the boxes are.
    this.#image.addEventListener('load', () => this.#shape(this.#image.naturalWidth, this.#image.naturalHeight))
    this.#image.addEventListener('error', () => {
      this.#image.hidden = true
      this.#missing.hidden = false
    })
    showPicture(this.#image, source)
  }

  show(result: VisionResult, findings: readonly Finding[]): void {
    this.#shape(result.width, result.height)
    const ordered = largestFirst(findings)
    this.#shapes.show(result, ordered)
    this.#boxes.replaceChildren(...ordered.map(finding => this.#box(finding, result)))
    this.#boxes.hidden = findings.length === 0
    this.#roving.refresh()
  }

  /** Takes away what was drawn: it belongs to another answer. */
  reset(): void {
    this.#made.clear()
    this.#shapes.reset()
    this.#boxes.replaceChildren()
    this.#boxes.hidden = true
  }

  /** Shows a picture that was made in the place of the one that was sent; null for that one. */
  showDrawn(url: string | null): void {
    const wanted = url ?? this.#source
    if (wanted === this.#shown) return
    this.#shown = wanted
    this.#image.hidden = false
    this.#missing.hidden = true
    showPicture(this.#image, wanted)
  }

  mark(index: number | null, chosen: number | null): void {
    this.#shapes.mark(index)
    this.#boxes.classList.toggle('pointing', index !== null)
    for (const [at, box] of this.#made) {
      box.classList.toggle('active', at === index)
      box.setAttribute('aria-pressed', String(at === chosen))
    }
  }

  #shape(width: number, height: number): void {
    if (width > 0 && height > 0) this.element.style.setProperty('--ratio', String(width / height))
  }

  #box({ index, detection }: Finding, result: VisionResult): HTMLButtonElement {
    const known = this.#made.get(index)
    if (known !== undefined) return known

    const place = placeBox(detection.box, result.width, result.height)
    const sure = percent(detection.confidence)
    const box = el(
      'button',
      {
        type: 'button',
        // A turned box is drawn itself; the upright one around it only takes the pointer.
        class: `box${place.nameInside ? ' inside' : ''}${place.nameAtEnd ? ' at-end' : ''}${detection.oriented === undefined ? '' : ' around'}`,
        tabindex: -1,
        'data-testid': 'box',
        'data-label': detection.label,
        'aria-label': `${detection.label}, ${sure}`,
        'aria-pressed': 'false',
      },
      el('span', { class: 'tag' }, nameOf(detection), el('span', { class: 'sure' }, ` ${sure}`)),
    )
    box.style.setProperty('--hue', String(hueOf(detection.classId)))
    box.style.left = `${place.left}%`
    box.style.top = `${place.top}%`
    box.style.width = `${place.width}%`
    box.style.height = `${place.height}%`
    this.#highlight.bind(box, index)
    this.#made.set(index, box)
    return box
  }
}
