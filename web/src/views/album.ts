import { exportResults } from '../api/client'
import { saveBlob } from '../api/download'
import { explain } from '../api/refusal'
import { el, setText } from '../dom'
import type { Setting } from '../setting'
import { count } from '../text'
import { type AlbumPicture, type Group, groupsOf, groupsOfAll } from '../vision/album'
import { hueOf } from '../vision/hue'

/** A picture with the card that shows it. */
export interface ShownPicture extends AlbumPicture {
  element: HTMLElement
}

// More than these are shown small, unless somebody says otherwise.
const mostLarge = 12
const mostGroups = 24
const mostExported = 1_000

const formats = [
  ['csv', 'CSV'],
  ['coco', 'COCO'],
  ['yolo', 'YOLO'],
  ['cvat', 'CVAT'],
  ['labelstudio', 'Label Studio'],
] as const

/** Several pictures as one: totals that pick out pictures, small cards beside large ones, and all results in a file. */
export class Album {
  readonly #cards: HTMLElement
  readonly #pictures: () => ShownPicture[]
  readonly #confidence: Setting<number>
  readonly #host: HTMLElement
  readonly #groups = el('div', { class: 'groups', role: 'group', 'aria-label': 'Found in all pictures; press one to see only those pictures' })
  readonly #shown = el('p', { class: 'note', role: 'status', 'data-testid': 'album-shown' })
  readonly #size = el('button', { type: 'button', class: 'button small', 'data-testid': 'album-size' })
  readonly #trouble = el('p', { class: 'trouble', role: 'alert' })
  readonly #made = new Map<string, HTMLButtonElement>()
  #picked: string | null = null
  #small: boolean | null = null
  #count = 0

  constructor(host: HTMLElement, cards: HTMLElement, pictures: () => ShownPicture[], confidence: Setting<number>) {
    this.#host = host
    this.#cards = cards
    this.#pictures = pictures
    this.#confidence = confidence
    this.#size.addEventListener('click', () => {
      this.#small = !this.#isSmall(this.#pictures().length)
      this.refresh()
    })
    host.append(this.#groups, el('div', { class: 'tools' }, this.#shown, this.#size, this.#exports()), this.#trouble)
    confidence.watch(() => this.refresh())
  }

  /** Counts anew. */
  refresh(): void {
    const pictures = this.#pictures()
    this.#host.hidden = pictures.length < 2
    // Whoever adds a picture wants to see it.
    if (pictures.length > this.#count) this.#picked = null
    this.#count = pictures.length
    const confidence = this.#confidence.value
    const groups = this.#host.hidden ? [] : groupsOfAll(pictures, confidence)
    if (!groups.some(({ key }) => key === this.#picked)) this.#picked = null
    this.#showGroups(groups.slice(0, mostGroups))
    let shown = 0
    for (const picture of pictures) {
      const isIn = this.#picked === null || groupsOf(picture, confidence).some(({ key }) => key === this.#picked)
      picture.element.hidden = !isIn
      if (isIn) shown++
    }
    setText(this.#shown, this.#picked === null ? count(pictures.length, 'picture') : `${shown} of ${count(pictures.length, 'picture')}`)
    const small = this.#isSmall(pictures.length)
    this.#cards.classList.toggle('small', small)
    setText(this.#size, small ? 'Large' : 'Small')
    this.#size.title = small ? 'Show the pictures large, with all that was found' : 'Show many pictures at a time'
  }

  #isSmall(pictures: number): boolean {
    return pictures > 1 && (this.#small ?? pictures > mostLarge)
  }

  // The buttons stay as they are, so that the one with the focus keeps it.
  #showGroups(groups: readonly Group[]): void {
    const wanted = new Set(groups.map(({ key }) => key))
    for (const [key, button] of this.#made) {
      if (wanted.has(key)) continue
      button.remove()
      this.#made.delete(key)
    }
    groups.forEach((group, at) => {
      const button = this.#button(group)
      setText(button.firstElementChild!, String(group.count))
      button.setAttribute('aria-pressed', String(group.key === this.#picked))
      if (this.#groups.children[at] !== button) this.#groups.insertBefore(button, this.#groups.children[at] ?? null)
    })
  }

  #button({ key, text, classId }: Group): HTMLButtonElement {
    const known = this.#made.get(key)
    if (known !== undefined) return known
    const button = el('button', { type: 'button', class: classId === null ? 'group' : 'group label', 'data-group': key }, el('strong'), ` ${text}`)
    if (classId !== null) button.style.setProperty('--hue', String(hueOf(classId)))
    button.addEventListener('click', () => {
      this.#picked = this.#picked === key ? null : key
      this.refresh()
    })
    this.#made.set(key, button)
    return button
  }

  #exports(): HTMLElement {
    const menu = el('details', { class: 'menu', 'data-testid': 'export' }, el('summary', { class: 'button small' }, 'Download results'))
    const list = el('div', { class: 'sheet', role: 'group', 'aria-label': 'Format' })
    for (const [format, name] of formats) {
      const button = el('button', { type: 'button', 'data-format': format }, name)
      button.addEventListener('click', () => {
        menu.open = false
        void this.#export(format)
      })
      list.append(button)
    }
    menu.append(list)
    menu.addEventListener('keydown', event => {
      if (event.key !== 'Escape' || !menu.open) return
      menu.open = false
      menu.querySelector('summary')!.focus()
    })
    document.addEventListener('click', event => {
      if (!menu.contains(event.target as Node)) menu.open = false
    })
    return menu
  }

  async #export(format: string): Promise<void> {
    const jobs = this.#pictures().flatMap(({ job, element }) => (job?.state === 'succeeded' && !element.hidden ? [job.id] : []))
    try {
      if (jobs.length === 0) throw new Error('None of these pictures has a result yet.')
      if (jobs.length > mostExported) throw new Error(`Results of ${mostExported} pictures can be had at a time; pick out fewer, or ask the API in several steps.`)
      const { blob, name } = await exportResults(format, jobs)
      saveBlob(blob, name)
      setText(this.#trouble, '')
    } catch (error) {
      setText(this.#trouble, explain(error))
    }
  }
}
