import { el, setText } from '../dom'
import type { ModelOffer, Offer } from '../models/modelOffer'

/** The model for everyday things: whose it is, a button that gets it, and how far that is. */
export class OfferView {
  readonly element: HTMLElement
  readonly #button = el('button', { type: 'button', class: 'button primary', 'data-testid': 'get-model' }, 'Get a model for everyday things')
  readonly #terms = el('p', { class: 'terms' })
  readonly #evidence = el('p')
  readonly #bar = el('progress', { max: 1, 'aria-label': 'Download' })
  readonly #trouble = el('p', { class: 'trouble', role: 'alert' })
  readonly #unwatch: () => void

  constructor(offer: ModelOffer) {
    this.element = el('div', { class: 'offer', 'data-testid': 'offer' }, this.#button, this.#bar, this.#terms, el('details', {}, el('summary', {}, 'How the licence is known'), this.#evidence), this.#trouble)
    this.#button.addEventListener('click', () => void offer.accept())
    this.#unwatch = offer.state.watch(state => this.#show(state))
  }

  /** Stops watching the offer; the view is of no use after. */
  dispose(): void {
    this.#unwatch()
  }

  #show(offer: Offer | null): void {
    this.element.hidden = offer === null
    if (offer === null) return
    const { model } = offer
    const pulling = offer.kind === 'pulling'
    this.#bar.hidden = !pulling
    this.#bar.value = pulling ? offer.share : 0
    // Not hidden, nor disabled by the browser: it would lose the focus.
    this.#button.setAttribute('aria-disabled', String(pulling))
    const trouble = pulling ? null : offer.trouble
    setText(this.#button, pulling ? 'Getting it …' : trouble === null ? 'Get a model for everyday things' : 'Try again')
    setText(this.#trouble, trouble ?? '')
    this.#trouble.hidden = trouble === null
    const { licence } = model
    setText(this.#terms, `${model.what}. Licence: ${licence.id}, of ${licence.holder}. ${size(model.bytes)} from ${new URL(model.url).host}.`)
    setText(this.#evidence, licence.evidence)
  }
}

function size(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
