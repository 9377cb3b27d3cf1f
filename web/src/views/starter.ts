import { getSample } from '../api/client'
import type { Model } from '../api/contract'
import { showPicture } from '../api/download'
import { explain } from '../api/refusal'
import { el, setText } from '../dom'
import type { ModelOffer } from '../models/modelOffer'
import { OfferView } from './offerView'

/** Says plainly what the built-in model knows, how to get another, and offers pictures to try it on. */
export class Starter {
  readonly #host: HTMLElement
  readonly #title = el('h2')
  readonly #knows = el('ul', { class: 'knows', 'aria-label': 'What it knows' })
  readonly #samples = el('div', { class: 'samples', role: 'group', 'aria-label': 'Pictures to try it on' })
  readonly #take: (files: File[]) => void
  readonly #complain: (text: string) => void
  readonly #note = el('p', { class: 'trouble', hidden: true })
  #shown: Model | null = null

  constructor(host: HTMLElement, offer: ModelOffer, take: (files: File[]) => void, complain: (text: string) => void) {
    this.#host = host
    this.#take = take
    this.#complain = complain
    const command = el('pre', {}, el('code', {}, './spotter models pull yolox_nano'))
    // Where the page can't get it, the terminal can.
    offer.state.watch(state => (command.hidden = state !== null))
    host.append(
      el(
        'div',
        {},
        this.#title,
        el('p', {}, 'It was trained on drawn signs and codes, and finds nothing else:'),
        this.#knows,
        el('p', {}, 'For people, animals, vehicles and other everyday things it takes another model:'),
        new OfferView(offer).element,
        command,
      ),
      this.#samples,
      this.#note,
    )
  }

  /** The model that is chosen; the built-in one is introduced. */
  show(model: Model | null): void {
    this.#host.hidden = model === null || !model.builtIn
    if (model === null || !model.builtIn || (this.#shown !== null && same(this.#shown, model))) return
    this.#shown = model
    setText(this.#title, `This is the built-in model. It finds ${model.labels.length} things`)
    this.#knows.replaceChildren(...model.labels.map(label => el('li', {}, label)))
    this.#samples.replaceChildren(el('p', {}, 'No picture at hand? Try one of these.'), ...model.samples.map(url => this.#sample(url)))
    this.#samples.hidden = model.samples.length === 0
  }

  #sample(url: string): HTMLElement {
    const name = url.slice(url.lastIndexOf('/') + 1)
    const image = el('img', { alt: `Try the sample ${name}`, loading: 'lazy', decoding: 'async' })
    showPicture(image, url)
    const button = el('button', { type: 'button', class: 'sample', 'data-testid': 'sample', title: `Try ${name}` }, image)
    button.addEventListener('click', () => void this.#try(url))
    return button
  }

  async #try(url: string): Promise<void> {
    try {
      this.#take([await getSample(url)])
      this.#note.hidden = true
    } catch (error) {
      setText(this.#note, explain(error))
      this.#note.hidden = false
      this.#complain(explain(error))
    }
  }
}

function same(a: Model, b: Model): boolean {
  return a.id === b.id && a.labels.join('\n') === b.labels.join('\n') && a.samples.join('\n') === b.samples.join('\n')
}
