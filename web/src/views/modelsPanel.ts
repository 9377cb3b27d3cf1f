import { getCatalogue, getModels, pullModel } from '../api/client'
import type { CatalogueModel, Model } from '../api/contract'
import { explain } from '../api/refusal'
import { el, setText } from '../dom'
import { bytes, count } from '../text'
import { togglePanel } from './togglePanel'

const lookAgainMs = 1_000
const mostLabels = 12

const states: Record<Model['state'], string> = {
  ready: 'ready',
  loading: 'is being loaded',
  absent: 'no worker has it',
  refused: 'can’t be used',
}

/** The models of the service: what each finds, where it runs, what is wrong with it; and those that can be had. */
export class ModelsPanel {
  readonly #panel: ReturnType<typeof togglePanel>
  readonly #models = el('ul', { class: 'models', 'data-testid': 'models' })
  readonly #catalogue = el('ul', { class: 'models', 'data-testid': 'catalogue' })
  readonly #offers = el('section', { 'aria-label': 'Models to get', hidden: true }, el('h3', {}, 'Models to get'))
  readonly #note = el('p', { class: 'note' })
  readonly #trouble = el('p', { class: 'trouble', role: 'alert' })
  readonly #operates: () => boolean
  readonly #changed: () => void
  #looking = false

  /** `operates` says whether whoever looks may pull models; `changed` is told when a model came, went or stands otherwise. */
  constructor(host: HTMLElement, button: HTMLElement, operates: () => boolean, changed: () => void) {
    this.#operates = operates
    this.#changed = changed
    this.#offers.append(this.#catalogue)
    const own = el('p', { class: 'note' }, 'A model of your own: put its .onnx file into the folder models of the data folder. It is noticed within seconds, and tried before it answers.')
    host.append(el('div', { class: 'sheet' }, el('div', { class: 'head' }, el('h2', {}, 'Models'), own), this.#models, this.#offers, this.#note, this.#trouble))
    this.#panel = togglePanel(host, button, () => void this.#follow())
  }

  /** Looks again and again while it is open. */
  async #follow(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    while (this.#panel.isOpen) {
      await this.#refresh()
      await new Promise(resolve => setTimeout(resolve, lookAgainMs))
    }
    this.#looking = false
  }

  async #refresh(): Promise<void> {
    try {
      const { models } = await getModels()
      if (replaceChanged(this.#models, models.map(modelItem))) this.#changed()
      setText(this.#note, models.length === 0 ? 'There are none.' : '')
      if (this.#operates()) await this.#refreshCatalogue()
    } catch (error) {
      setText(this.#note, explain(error))
    }
  }

  async #refreshCatalogue(): Promise<void> {
    const { models, closed } = await getCatalogue()
    const offers = closed === null ? models.filter(({ state }) => state !== 'here') : []
    this.#offers.hidden = offers.length === 0
    replaceChanged(this.#catalogue, offers.map(offer => this.#offer(offer)))
  }

  #offer(offer: CatalogueModel): HTMLElement {
    const { name, what, licence, state, bytesHere } = offer
    const get = el('button', { type: 'button', class: 'button small', 'data-pull': name, disabled: state === 'pulling' }, state === 'pulling' ? `${bytes(bytesHere)} of ${bytes(offer.bytes)}` : licence.permissive ? 'Get it' : `Accept ${licence.id} and get it`)
    get.addEventListener('click', () => void this.#pull(offer))
    return el(
      'li',
      {},
      el('strong', {}, name),
      el('span', { class: 'what' }, `${what}. ${bytes(offer.bytes)}. Licence: ${licence.id}, of ${licence.holder} (${licence.evidence}).`),
      get,
      offer.error === null ? null : el('span', { class: 'trouble' }, offer.error.detail ?? 'It could not be had.'),
    )
  }

  async #pull({ name, licence }: CatalogueModel): Promise<void> {
    try {
      await pullModel(name, licence.permissive ? null : licence.id)
      setText(this.#trouble, '')
      await this.#refresh()
    } catch (error) {
      setText(this.#trouble, explain(error))
    }
  }
}

function modelItem(model: Model): HTMLElement {
  const { id, labels, loadedBy, error } = model
  const size = model.inputWidth > 0 ? `, ${model.inputWidth} × ${model.inputHeight}` : ''
  const finds = labels.length === 0 ? '' : ` ${count(labels.length, 'label')}: ${labels.slice(0, mostLabels).join(', ')}${labels.length > mostLabels ? ' …' : ''}.`
  const devices = [...new Set(loadedBy.flatMap(({ device }) => (device === null || device === undefined ? [] : [device])))].join(', ')
  const where = loadedBy.length === 0 ? '' : ` In ${count(loadedBy.length, 'worker')}${devices === '' ? '' : ` on ${devices}`}.`
  return el(
    'li',
    { 'data-model': id, 'data-state': model.state },
    el('strong', {}, id, model.default ? el('span', { class: 'badge' }, 'default') : null),
    el('span', { class: 'what' }, model.state === 'refused' ? '' : `${model.family}${size}.${finds}`),
    el('span', { class: 'state' }, `${states[model.state]}.${where}`),
    error === null ? null : el('span', { class: 'trouble' }, error.detail ?? 'It can’t be used.'),
    model.unsure === null ? null : el('span', { class: 'doubt' }, model.unsure),
  )
}

/** Puts new items where something changed, and leaves the others, which may have the focus; says whether anything did. */
function replaceChanged(list: HTMLElement, items: readonly HTMLElement[]): boolean {
  let hasChanged = list.children.length !== items.length
  items.forEach((item, at) => {
    const old = list.children[at]
    if (old === undefined) list.append(item)
    else if (old.outerHTML !== item.outerHTML) {
      old.replaceWith(item)
      hasChanged = true
    }
  })
  while (list.children.length > items.length) list.lastElementChild?.remove()
  return hasChanged
}
