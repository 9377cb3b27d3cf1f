import type { Label } from '../api/contract'
import { el, setText } from '../dom'
import { count, percent } from '../text'
import { countLabels, nameOf, type Finding } from '../vision/findings'
import { hueOf } from '../vision/hue'
import type { Highlight } from './highlight'
import { moveWithArrows } from './roving'

const listOfObjects = 'Objects; arrow keys move between them'

/** Counts per label, and the list of everything that was found. */
export class FindingsView {
  readonly element: HTMLElement
  readonly #summary = el('ul', { class: 'summary', 'data-testid': 'summary', 'aria-label': 'Counts per label' })
  readonly #note = el('p', { class: 'note' })
  readonly #list = el('ul', { class: 'findings', 'aria-label': listOfObjects })
  readonly #roving: { refresh(): void }
  readonly #made = new Map<number, { item: HTMLLIElement; row: HTMLButtonElement }>()
  readonly #highlight: Highlight

  constructor(highlight: Highlight) {
    this.#highlight = highlight
    this.element = el('div', { class: 'found' }, this.#summary, this.#note, this.#list)
    this.#roving = moveWithArrows(this.#list, 'button.row')
  }

  /** `total` is how many the model found at all, shown or not. */
  show(findings: readonly Finding[], total: number, confidence: number): void {
    this.#summary.replaceChildren(
      ...countLabels(findings).map(({ label, classId, count: n }) =>
        coloured(el('li', {}, el('strong', {}, String(n)), ` ${label}`), classId),
      ),
    )
    setText(this.#note, noteOn(findings.length, total, confidence))
    this.#list.replaceChildren(...findings.map(finding => this.#row(finding).item))
    this.#list.hidden = findings.length === 0
    this.#roving.refresh()
  }

  /** The answer of an engine that names whole pictures instead of finding objects in them. */
  showLabels(labels: readonly Label[], confidence: number): void {
    const [best] = labels
    this.#summary.replaceChildren(
      ...(best === undefined || best.confidence < confidence ? [] : [coloured(el('li', {}, el('strong', {}, best.label)), best.classId)]),
    )
    setText(this.#note, best !== undefined && best.confidence >= confidence ? '' : noteOn(0, labels.length, confidence))
    // Weak ones too, only paler: how far the best is ahead of them says how much it is worth.
    this.#list.replaceChildren(...labels.map(label => labelRow(label, label.confidence < confidence)))
    this.#list.setAttribute('aria-label', 'Labels, the most likely first')
    this.#list.hidden = labels.length === 0
  }

  /** The answer of an engine that says one thing of a picture, in a sentence. */
  showText(text: string): void {
    this.#summary.replaceChildren()
    setText(this.#note, text)
    this.#list.hidden = true
  }

  /** Forgets an answer. */
  reset(): void {
    this.#made.clear()
    this.#summary.replaceChildren()
    setText(this.#note, '')
    this.#list.replaceChildren()
    this.#list.hidden = true
    this.#list.setAttribute('aria-label', listOfObjects)
  }

  mark(index: number | null, chosen: number | null): void {
    for (const [at, { row }] of this.#made) {
      row.classList.toggle('active', at === index)
      row.setAttribute('aria-pressed', String(at === chosen))
      if (at === index && row.isConnected && document.activeElement !== row) this.#reveal(row)
    }
  }

  /** Scrolls the list alone: `scrollIntoView` would move the page under the pointer. */
  #reveal(row: HTMLElement): void {
    const top = row.offsetTop - this.#list.offsetTop
    const bottom = top + row.offsetHeight
    if (top < this.#list.scrollTop) this.#list.scrollTop = top
    else if (bottom > this.#list.scrollTop + this.#list.clientHeight) this.#list.scrollTop = bottom - this.#list.clientHeight
  }

  #row({ index, detection }: Finding): { item: HTMLLIElement; row: HTMLButtonElement } {
    const known = this.#made.get(index)
    if (known !== undefined) return known

    const row = el('button', { type: 'button', class: 'row', tabindex: -1, 'aria-pressed': 'false' }, ...cells({ label: nameOf(detection), confidence: detection.confidence }))
    this.#highlight.bind(row, index)
    const made = { item: coloured(el('li', {}, row), detection.classId), row }
    this.#made.set(index, made)
    return made
  }
}

function cells({ label, confidence }: { label: string; confidence: number }): HTMLElement[] {
  const meter = el('span', { class: 'meter' })
  meter.style.setProperty('--share', String(confidence))
  return [el('span', { class: 'swatch' }), el('span', { class: 'label' }, label), meter, el('span', { class: 'sure' }, percent(confidence))]
}

function labelRow(label: Label, weak: boolean): HTMLLIElement {
  const row = el('div', { class: `row told${weak ? ' weak' : ''}`, 'data-testid': 'label' }, ...cells(label))
  return coloured(el('li', {}, row), label.classId)
}

function coloured<E extends HTMLElement>(element: E, classId: number): E {
  element.style.setProperty('--hue', String(hueOf(classId)))
  return element
}

function noteOn(shown: number, total: number, confidence: number): string {
  if (total === 0) return 'The model found nothing in this picture.'
  const below = total - shown
  if (shown === 0) return `Nothing above ${percent(confidence)}; ${count(below, 'weaker guess', 'weaker guesses')} below.`
  return below === 0 ? '' : `${count(below, 'weaker guess', 'weaker guesses')} below ${percent(confidence)}.`
}
