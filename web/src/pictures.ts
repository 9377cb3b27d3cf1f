import { cancelJob, getOriginal, originalUrl } from './api/client'
import { type Job, hasEnded, type Model } from './api/contract'
import { explain, Refusal, Unreachable } from './api/refusal'
import { newIdempotencyKey, submit } from './api/submit'
import type { JobFollower } from './jobs/follower'
import type { Ticket, UploadQueue } from './jobs/uploadQueue'
import type { ModelOffer } from './models/modelOffer'
import type { Setting } from './setting'
import type { ShownPicture } from './views/album'
import { Card, type Progress, reasonOf } from './views/card'

/** A picture on the page: its file where this browser has it, its card, and how far it is. */
interface Picture {
  readonly name: string
  file: Blob | null
  readonly url: string
  readonly card: Card
  progress: Progress
  ticket: Ticket | null
  idempotencyKey: string
  /** What is to look at it; null for the model that is chosen when it is sent. */
  asked: Pick<Model, 'engine' | 'id'> | null
  /** The model that it was sent to last. */
  sentTo: string | null
}

export interface Tally {
  total: number
  ended: number
}

export interface PicturesSettings {
  host: HTMLElement
  uploads: UploadQueue
  follower: JobFollower
  confidence: Setting<number>
  model: Setting<Model | null>
  offer: ModelOffer
  changed(tally: Tally): void
  /** A picture has come to its end; for those who can't see it. */
  announce(text: string): void
}

const mostBusyTries = 20
const defaultBusySeconds = 2
const longestBusySeconds = 30

/** Takes pictures from file to answer, and keeps their cards. */
export class Pictures {
  readonly #on: PicturesSettings
  readonly #pictures = new Set<Picture>()

  constructor(settings: PicturesSettings) {
    this.#on = settings
  }

  add(files: readonly File[]): void {
    const added = files.map(file => {
      const name = file.name === '' ? 'Pasted picture' : file.name
      const picture = this.#make(name, file, URL.createObjectURL(file), 'This browser can’t show this kind of picture.')
      this.#send(picture)
      return picture
    })
    // Newest on top, and those that came together in the order they came.
    this.#on.host.prepend(...added.map(picture => picture.card.element))
    this.#tell()
  }

  /** Shows a job that the server knows, with its picture as long as that is kept. */
  open(job: Job): void {
    const open = [...this.#pictures].find(({ progress }) => progress.kind === 'job' && progress.job.id === job.id)
    if (open === undefined) {
      const name = job.name ?? `Job ${job.id.slice(0, 12)}`
      const missing = 'The picture of this job is no longer kept, or can’t be shown. Its boxes are.'
      const picture = this.#make(name, null, originalUrl(job.id), missing)
      this.#on.host.prepend(picture.card.element)
      this.#accept(picture, job)
      this.#reveal(picture)
    } else {
      this.#reveal(open)
    }
  }

  /** What is on the page. */
  shown(): ShownPicture[] {
    return [...this.#pictures].map(({ card, progress }) => ({
      element: card.element,
      job: progress.kind === 'job' ? progress.job : null,
      refused: progress.kind === 'refused',
    }))
  }

  /** Takes everything that has ended off the page. */
  clearEnded(): void {
    for (const picture of [...this.#pictures]) if (hasCome(picture.progress)) this.#remove(picture)
  }

  #reveal({ card: { element } }: Picture): void {
    element.scrollIntoView({ block: 'start' })
    element.focus({ preventScroll: true })
  }

  #make(name: string, file: Blob | null, url: string, missingText: string): Picture {
    const card = new Card({ name, url, missingText }, this.#on.confidence, this.#on.model, this.#on.offer, {
      cancel: () => void this.#cancel(picture),
      retry: () => void this.#retry(picture, false),
      runOther: () => void this.#retry(picture, true),
      remove: () => this.#remove(picture),
    })
    const picture: Picture = {
      name,
      file,
      url,
      card,
      progress: { kind: 'waiting', reason: '' },
      ticket: null,
      idempotencyKey: newIdempotencyKey(),
      asked: null,
      sentTo: null,
    }
    this.#pictures.add(picture)
    return picture
  }

  #send(picture: Picture): void {
    this.#show(picture, { kind: 'waiting', reason: 'Waiting to upload' })
    picture.ticket = this.#on.uploads.add(signal => this.#upload(picture, signal))
  }

  async #upload(picture: Picture, signal: AbortSignal): Promise<void> {
    const model = picture.asked ?? this.#on.model.value
    const { file } = picture
    if (model === null) {
      this.#show(picture, { kind: 'refused', reason: 'No model is loaded, so nothing can be found in this picture yet.' })
      return
    }
    if (file === null) {
      this.#show(picture, { kind: 'refused', reason: 'The picture of this job is no longer kept.', isFinal: true })
      return
    }
    // With another model it is another request.
    if (picture.sentTo !== null && picture.sentTo !== model.id) picture.idempotencyKey = newIdempotencyKey()
    picture.sentTo = model.id
    try {
      for (let tries = 1; ; tries++) {
        try {
          this.#show(picture, { kind: 'uploading', share: 0 })
          const submission = {
            image: file,
            fileName: picture.name,
            engine: model.engine,
            model: model.id,
            idempotencyKey: picture.idempotencyKey,
          }
          const job = await submit(submission, share => this.#show(picture, { kind: 'uploading', share }), signal)
          this.#accept(picture, job)
          return
        } catch (error) {
          if (!(error instanceof Refusal && error.isBusy) || tries >= mostBusyTries) throw error
          // The place among the uploads is kept while waiting: that is what slows a flood down.
          const seconds = Math.min(error.retryAfterSeconds ?? defaultBusySeconds, longestBusySeconds)
          this.#show(picture, { kind: 'waiting', reason: `Spotter is busy, trying again in ${seconds} s` })
          await pause(seconds * 1_000, signal)
        }
      }
    } catch (error) {
      if (signal.aborted) return
      this.#show(picture, { kind: 'refused', reason: explain(error), isFinal: error instanceof Refusal && error.isFinal })
      // After a lost connection nobody knows whether the picture arrived, so the key stays and makes it one job.
      if (!(error instanceof Unreachable)) picture.idempotencyKey = newIdempotencyKey()
    }
  }

  #accept(picture: Picture, job: Job): void {
    this.#show(picture, { kind: 'job', job })
    if (hasEnded(job)) return
    this.#on.follower.follow(job.id, {
      onJob: changed => this.#show(picture, { kind: 'job', job: changed }),
      onLost: reason => this.#show(picture, { kind: 'refused', reason: reason.message }),
    })
  }

  async #cancel(picture: Picture): Promise<void> {
    const { progress } = picture
    if (progress.kind === 'waiting' || progress.kind === 'uploading') {
      picture.ticket?.cancel()
      this.#show(picture, { kind: 'withdrawn' })
    } else if (progress.kind === 'job') {
      try {
        const job = await cancelJob(progress.job.id)
        if (hasEnded(job)) this.#on.follower.unfollow(job.id)
        this.#show(picture, { kind: 'job', job })
      } catch (error) {
        // Most likely it has been taken by a worker just now; then its end is on the way.
        this.#on.announce(explain(error))
      }
    }
  }

  async #retry(picture: Picture, withOther: boolean): Promise<void> {
    const { progress } = picture
    if (withOther) picture.asked = this.#on.model.value
    else if (progress.kind === 'job' && progress.job.model !== null) picture.asked = { engine: progress.job.engine, id: progress.job.model }
    // A job that has ended stays as it is; trying again is another job.
    if (progress.kind === 'job') picture.idempotencyKey = newIdempotencyKey()
    if (picture.file === null && progress.kind === 'job') {
      try {
        picture.file = await getOriginal(progress.job.id)
      } catch (error) {
        this.#show(picture, { kind: 'refused', reason: explain(error) })
        return
      }
    }
    this.#send(picture)
  }

  #remove(picture: Picture): void {
    picture.ticket?.cancel()
    if (picture.progress.kind === 'job') this.#on.follower.unfollow(picture.progress.job.id)
    const next = picture.card.element.nextElementSibling ?? picture.card.element.previousElementSibling
    const hadFocus = picture.card.element.contains(document.activeElement)
    picture.card.dispose()
    picture.card.element.remove()
    if (picture.url.startsWith('blob:')) URL.revokeObjectURL(picture.url)
    this.#pictures.delete(picture)
    if (hadFocus && next instanceof HTMLElement) next.focus({ preventScroll: true })
    this.#tell()
  }

  #show(picture: Picture, progress: Progress): void {
    if (!this.#pictures.has(picture)) return
    const before = picture.progress
    picture.progress = progress
    picture.card.show(progress)
    if (hasCome(progress) === hasCome(before)) return
    this.#tell()
    if (hasCome(progress)) this.#on.announce(`${picture.name}: ${ending(progress)}`)
  }

  #tell(): void {
    const all = [...this.#pictures]
    this.#on.changed({ total: all.length, ended: all.filter(({ progress }) => hasCome(progress)).length })
  }
}

function hasCome(progress: Progress): boolean {
  switch (progress.kind) {
    case 'job':
      return hasEnded(progress.job)
    case 'refused':
    case 'withdrawn':
      return true
    default:
      return false
  }
}

function ending(progress: Progress): string {
  if (progress.kind === 'refused') return `not accepted. ${progress.reason}`
  if (progress.kind !== 'job') return 'cancelled'
  switch (progress.job.state) {
    case 'failed':
    case 'dead':
      return `failed. ${reasonOf(progress.job)}`
    default:
      return progress.job.state === 'succeeded' ? 'done' : progress.job.state
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const stop = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal.addEventListener('abort', stop, { once: true })
  })
}
