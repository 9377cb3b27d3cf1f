import type { Label } from '../api/contract'
import { el, setText } from '../dom'
import { count, percent } from '../text'
import { countLabels, type Finding } from '../vision/findings'
import { hueOf } from '../vision/hue'
import type { Highlight } from './highlight'
import { moveWithArrows } from './roving'

/** Counts per label, and the list of everything that was found. */
export class FindingsView {
  readonly element: HTMLElement
  readonly #summary = el('ul', { class: 'summary', 'data-testid': 'summary', 'aria-label': 'Counts per label' })
  readonly #note = el('p', { class: 'note' })
  readonly #list = el('ul', { class: 'findings', 'aria-label': 'Objects; arrow keys move between them' })
  readonly #roving: { refresh(): void }
  readonly #made = new Map<number, { item: HTMLLIElement; row: HTMLButtonElement }>()
  readonly #highlight: Highlight

  constructor(highlight: Highlight) {
    this.#highlight = highlight
    this.element = el('div', { class: 'found' }, this.#summary, this.#note, this.#list)
    this.#roving = moveWithArrows(this.#list, '.row')
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
    const shown = labels.filter(label => label.confidence >= confidence)
    this.#summary.replaceChildren(
      ...shown.map(({ label, classId, confidence: sure }) =>
        coloured(el('li', {}, `${label} `, el('strong', {}, percent(sure))), classId),
      ),
    )
    setText(this.#note, noteOn(shown.length, labels.length, confidence))
    this.#list.hidden = true
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

    const meter = el('span', { class: 'meter' })
    meter.style.setProperty('--share', String(detection.confidence))
    const row = el(
      'button',
      { type: 'button', class: 'row', tabindex: -1, 'aria-pressed': 'false' },
      el('span', { class: 'swatch' }),
      el('span', { class: 'label' }, detection.label),
      meter,
      el('span', { class: 'sure' }, percent(detection.confidence)),
    )
    this.#highlight.bind(row, index)
    const made = { item: coloured(el('li', {}, row), detection.classId), row }
    this.#made.set(index, made)
    return made
  }
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
