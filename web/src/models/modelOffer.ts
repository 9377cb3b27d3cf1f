import { getCatalogue, pullModel } from '../api/client'
import type { CatalogueModel } from '../api/contract'
import { explain } from '../api/refusal'
import { Setting } from '../setting'

/** How it stands with the model that is offered. */
export type Offer =
  | { kind: 'open'; model: CatalogueModel; /** Why it could not be pulled last time. */ trouble: string | null }
  | { kind: 'pulling'; model: CatalogueModel; share: number }

const lookAgainMs = 400

/** What of the service an offer needs. */
export interface Catalogue {
  get: typeof getCatalogue
  pull: typeof pullModel
}

/**
 * Offers a model for everyday things where the service has none: the first detector of its catalogue whose licence need not
 * be accepted by name.
 */
export class ModelOffer {
  /** Null while there is nothing to offer. */
  readonly state = new Setting<Offer | null>(null)
  readonly #here: (id: string) => Promise<void>
  readonly #catalogue: Catalogue

  /** `here` is told the name of a model that has come. */
  constructor(here: (id: string) => Promise<void>, catalogue: Catalogue = { get: getCatalogue, pull: pullModel }) {
    this.#here = here
    this.#catalogue = catalogue
  }

  /** Asks what there is to offer. Who may not pull models, or can't here, is offered none. */
  async look(): Promise<void> {
    if (this.state.value !== null) return
    const model = await this.#find().catch(() => null)
    if (model === null || this.state.value !== null) return
    if (model.state === 'pulling') await this.#follow(model, model)
    else this.state.value = { kind: 'open', model, trouble: model.error?.detail ?? null }
  }

  /** Pulls the model that is offered. */
  async accept(): Promise<void> {
    const offer = this.state.value
    if (offer?.kind !== 'open') return
    this.state.value = { kind: 'pulling', model: offer.model, share: 0 }
    await this.#follow(offer.model, this.#catalogue.pull(offer.model.name))
  }

  /** Until the model is here, or is known not to come. */
  async #follow(asked: CatalogueModel, begun: CatalogueModel | Promise<CatalogueModel>): Promise<void> {
    try {
      for (let model = await begun; ; model = await this.#again(model)) {
        if (model.state === 'here') {
          await this.#here(model.name)
          this.state.value = null
          return
        }
        if (model.state !== 'pulling') throw new Error(model.error?.detail ?? 'The download was stopped.')
        this.state.value = { kind: 'pulling', model, share: model.bytesHere / model.bytes }
        await new Promise(resolve => setTimeout(resolve, lookAgainMs))
      }
    } catch (error) {
      this.state.value = { kind: 'open', model: asked, trouble: explain(error) }
    }
  }

  async #again(model: CatalogueModel): Promise<CatalogueModel> {
    const { models } = await this.#catalogue.get()
    return models.find(({ name }) => name === model.name) ?? { ...model, state: 'available' }
  }

  async #find(): Promise<CatalogueModel | null> {
    const { models, closed } = await this.#catalogue.get()
    if (closed !== null) return null
    return models.find(({ task, licence, state }) => task === 'detect' && licence.permissive && state !== 'here') ?? null
  }
}
