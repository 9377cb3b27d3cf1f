import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { CatalogueModel, CatalogueView } from '../src/api/contract'
import { ModelOffer } from '../src/models/modelOffer'

const licence = { id: 'Apache-2.0', holder: 'them', evidence: 'stated', permissive: true }

function model(over: Partial<CatalogueModel> = {}): CatalogueModel {
  return { name: 'coco', task: 'detect', what: 'w', url: 'https://example.org/coco.onnx', bytes: 100, licence, state: 'available', bytesHere: 0, error: null, ...over }
}

describe('the model for everyday things', () => {
  let views: (CatalogueView | Error)[]
  let pulled: string[]
  let here: string[]
  let offer: ModelOffer

  beforeEach(() => {
    vi.useFakeTimers()
    views = []
    pulled = []
    here = []
    offer = new ModelOffer(
      async id => void here.push(id),
      {
        get: async () => {
          const view = views.length > 1 ? views.shift()! : views[0]!
          if (view instanceof Error) throw view
          return view
        },
        pull: async name => {
          pulled.push(name)
          return model({ name, state: 'pulling' })
        },
      },
    )
  })

  const shows = (...models: CatalogueModel[]): CatalogueView => ({ models, closed: null })

  it('is the first detector whose licence asks for nothing', async () => {
    views = [
      shows(
        model({ name: 'labels', task: 'classify' }),
        model({ name: 'strict', licence: { ...licence, permissive: false } }),
        model({ name: 'had', state: 'here' }),
        model(),
        model({ name: 'later' }),
      ),
    ]
    await offer.look()
    expect(offer.state.value).toMatchObject({ kind: 'open', model: { name: 'coco' }, trouble: null })
  })

  it('is not offered where none can be pulled, or who asks may not', async () => {
    for (const view of [{ ...shows(model()), closed: 'named ones only' }, shows(), new Error('403')]) {
      views = [view]
      await offer.look()
      expect(offer.state.value).toBeNull()
    }
  })

  it('tells how far it is, and who waits for it that it has come', async () => {
    views = [shows(model())]
    await offer.look()
    views = [shows(model({ state: 'pulling', bytesHere: 40 })), shows(model({ state: 'here' }))]
    const done = offer.accept()
    expect(offer.state.value).toMatchObject({ kind: 'pulling', share: 0 })
    await vi.advanceTimersByTimeAsync(500)
    expect(offer.state.value).toMatchObject({ kind: 'pulling', share: 0.4 })
    await vi.advanceTimersByTimeAsync(500)
    await done
    expect([pulled, here, offer.state.value]).toEqual([['coco'], ['coco'], null])
  })

  it('can be tried again when it could not be had', async () => {
    views = [shows(model())]
    await offer.look()
    views = [shows(model({ state: 'failed', error: { detail: 'no way there' } }))]
    const done = offer.accept()
    await vi.advanceTimersByTimeAsync(500)
    await done
    expect(offer.state.value).toMatchObject({ kind: 'open', trouble: 'no way there' })
    views = [shows(model({ state: 'here' }))]
    const again = offer.accept()
    await vi.advanceTimersByTimeAsync(500)
    await again
    expect([here, offer.state.value]).toEqual([['coco'], null])
  })

  it('is followed when another visitor has begun it', async () => {
    views = [shows(model({ state: 'pulling', bytesHere: 50 })), shows(model({ state: 'here' }))]
    const done = offer.look()
    await vi.advanceTimersByTimeAsync(500)
    await done
    expect([pulled, here]).toEqual([[], ['coco']])
  })
})
