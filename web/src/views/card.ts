import { annotatedUrl, jobUrl } from '../api/client'
import { type Job, hasEnded, type Model } from '../api/contract'
import { downloadWithKey } from '../api/download'
import { explain, isOfPicture } from '../api/refusal'
import { el, icon, setText } from '../dom'
import type { ModelOffer } from '../models/modelOffer'
import type { Setting } from '../setting'
import { standing } from '../text'
import { broughtAnswer } from '../vision/brought'
import { answersOf, findingsAbove } from '../vision/findings'
import { madeText, regionLabels, wholeText } from '../vision/whole'
import { FindingsView } from './findingsView'
import { Highlight } from './highlight'
import { historyView } from './historyView'
import { OfferView } from './offerView'
import { PictureView } from './pictureView'
import { timingsView } from './timingsView'

/** What is known about a picture on the page. */
export type Progress =
  | { kind: 'waiting'; reason: string }
  | { kind: 'uploading'; share: number }
  | { kind: 'job'; job: Job }
  | { kind: 'refused'; reason: string; isFinal?: boolean }
  | { kind: 'withdrawn' }

export interface CardActions {
  cancel(): void
  retry(): void
  /** Runs the model that is chosen now. */
  runOther(): void
  remove(): void
}

export interface CardPicture {
  name: string
  url: string
  /** Shown when the picture can't be. */
  missingText: string
}

/** One picture: how far it is, and what came out. */
export class Card {
  readonly element: HTMLElement
  readonly #title: HTMLElement
  readonly #meta = el('p', { class: 'meta' })
  readonly #status = el('p', { class: 'status' })
  readonly #bar = el('progress', { max: 1, 'aria-label': 'Progress' })
  readonly #error = el('div', { class: 'error', 'data-testid': 'error' })
  readonly #actions = el('div', { class: 'actions' })
  readonly #outcome = el('div', { class: 'outcome' })
  readonly #history = el('div')
  readonly #highlight: Highlight
  readonly #picture: PictureView
  readonly #findings: FindingsView
  readonly #confidence: Setting<number>
  readonly #model: Setting<Model | null>
  readonly #offer: ModelOffer
  #offerView: OfferView | null = null
  readonly #on: CardActions
  readonly #name: string
  // Its address follows the slider, so that the picture downloaded shows what the page shows.
  readonly #download = el(
    'a',
    { class: 'button', title: 'Download the annotated picture', 'aria-label': 'Download the annotated picture', 'data-testid': 'download-image' },
    icon('picture'),
    'Picture',
  )
  #unwatch: (() => void) | null = null
  readonly #unwatchModel: () => void
  #progress: Progress | null = null
  #shown: Progress['kind'] | Job['state'] | null = null

  constructor(picture: CardPicture, confidence: Setting<number>, model: Setting<Model | null>, offer: ModelOffer, on: CardActions) {
    this.#name = picture.name
    this.#confidence = confidence
    this.#model = model
    this.#offer = offer
    this.#on = on
    this.#highlight = new Highlight((index, chosen) => {
      this.#picture.mark(index, chosen)
      this.#findings.mark(index, chosen)
    })
    downloadWithKey(this.#download, error => this.#complain(explain(error)))
    this.#picture = new PictureView(picture.url, picture.name, picture.missingText, this.#highlight)
    this.#findings = new FindingsView(this.#highlight)

    this.#title = el('h2', { title: picture.name }, picture.name)
    const remove = el('button', { type: 'button', class: 'quiet', 'aria-label': `Remove ${picture.name} from the page` }, icon('close'))
    remove.addEventListener('click', () => on.remove())

    this.element = el(
      'article',
      { class: 'card', 'data-testid': 'card', 'aria-label': picture.name, tabindex: -1 },
      el('div', { class: 'stage-area' }, this.#picture.element),
      el(
        'div',
        { class: 'panel' },
        el('header', {}, el('div', { class: 'heading' }, this.#title, this.#meta), remove),
        el('div', { class: 'progress' }, this.#status, this.#bar),
        this.#error,
        this.#outcome,
        this.#history,
        this.#actions,
      ),
    )
    let chosen = model.value?.id
    this.#unwatchModel = model.watch(now => {
      // The list of models is read anew now and then; making the buttons anew takes the focus from them.
      if (now?.id !== chosen) this.#showActions()
      chosen = now?.id
    })
  }

  /** Stops watching the settings; the card is of no use after. */
  dispose(): void {
    this.#unwatch?.()
    this.#unwatch = null
    this.#offerView?.dispose()
    this.#unwatchModel()
  }

  show(progress: Progress): void {
    const state = progress.kind === 'job' ? progress.job.state : progress.kind === 'withdrawn' ? 'cancelled' : progress.kind
    this.element.dataset['state'] = state
    if (progress.kind === 'job') this.element.dataset['job'] = progress.job.id
    else delete this.element.dataset['job']

    this.#showProgress(progress)
    // The rest changes with the state only; rebuilding it at every step would take the focus from its buttons.
    if (this.#shown === state) return
    this.#shown = state
    this.#progress = progress
    this.#showError(progress)
    this.#showOutcome(progress)
    this.#history.replaceChildren(...(progress.kind === 'job' && hasEnded(progress.job) ? [historyView(progress.job)] : []))
    this.#showActions()
  }

  #showProgress(progress: Progress): void {
    const { text, share, active } = wording(progress)
    setText(this.#status, text)
    this.#bar.hidden = !active
    if (share === null) this.#bar.removeAttribute('value')
    else this.#bar.value = share
    if (progress.kind === 'job') setText(this.#meta, progress.job.model ?? progress.job.engine)
  }

  #showError(progress: Progress): void {
    const reason =
      progress.kind === 'refused'
        ? progress.reason
        : progress.kind === 'job' && (progress.job.state === 'failed' || progress.job.state === 'dead')
          ? reasonOf(progress.job)
          : null
    this.#complain(reason)
  }

  #complain(reason: string | null): void {
    this.#error.replaceChildren(...(reason === null ? [] : [icon('alert'), el('p', {}, reason)]))
    this.#error.hidden = reason === null
  }

  #showOutcome(progress: Progress): void {
    this.#unwatch?.()
    this.#unwatch = null
    this.#offerView?.dispose()
    this.#offerView = null
    this.#outcome.replaceChildren()
    // Another model may have answered before.
    this.#highlight.clear()
    this.#picture.reset()
    this.#findings.reset()
    if (progress.kind !== 'job' || progress.job.state !== 'succeeded' || progress.job.result === null) return

    const result = progress.job.result
    const timings = timingsView(progress.job)
    this.#outcome.append(this.#findings.element, ...(timings === null ? [] : [timings]))
    const brought = broughtAnswer(progress.job)
    if (brought !== null) {
      this.#findings.showText(brought)
      return
    }
    setText(this.#meta, `${result.width} × ${result.height} · ${progress.job.model ?? progress.job.engine}`)
    const { id } = progress.job
    const made = madeText(progress.job)
    if (made !== null) {
      this.#download.href = annotatedUrl(id, 0)
      this.#download.download = `${this.#stem()}.filtered.png`
      this.#picture.showDrawn(annotatedUrl(id, 0))
      this.#findings.showText(made)
      return
    }
    const model = this.#model.value
    if (result.detections?.length === 0 && model?.builtIn === true && model.id === progress.job.model) {
      this.#offerView = new OfferView(this.#offer)
      this.#findings.element.after(this.#offerView.element)
    }
    const [regions, text] = [regionLabels(result), wholeText(result)]
    this.#download.download = `${this.#stem()}.${result.map === undefined ? 'boxes' : 'map'}.jpg`
    // Only the service can draw a map.
    this.#picture.showDrawn(result.map === undefined ? null : annotatedUrl(id, 0))
    this.#unwatch = this.#confidence.watch(confidence => {
      this.#download.href = annotatedUrl(id, confidence)
      const detections = result.detections ?? []
      const findings = findingsAbove(detections, confidence)
      this.#picture.show(result, findings)
      const answers = answersOf(result)
      if (regions !== null) this.#findings.showLabels(regions, 0)
      else if (text !== null) this.#findings.showText(text)
      else if (answers !== null && detections.length === 0) this.#findings.showLabels(answers, confidence)
      else this.#findings.show(findings, detections.length, confidence)
    })
  }

  #showActions(): void {
    this.#actions.replaceChildren(...(this.#progress === null ? [] : this.#actionsFor(this.#progress)))
    this.#actions.hidden = this.#actions.childElementCount === 0
  }

  #actionsFor(progress: Progress): HTMLElement[] {
    if (progress.kind === 'waiting' || progress.kind === 'uploading') return [this.#button('Cancel', 'close', this.#on.cancel)]
    if (progress.kind === 'refused' && progress.isFinal === true) return []
    if (progress.kind !== 'job') return [this.#button('Try again', 'retry', this.#on.retry)]
    const { job } = progress
    if (job.state === 'queued') return [this.#button('Cancel', 'close', this.#on.cancel)]
    if (!hasEnded(job)) return []
    // A job without a model, as of a filter, may have had several pictures and settings, which this page doesn't know.
    const runsAgain = job.model !== null && !isOfPicture(job.error?.code)
    const chosen = this.#model.value
    const other = runsAgain && chosen !== null && chosen.id !== job.model ? [this.#button(`Run with ${chosen.id}`, 'retry', this.#on.runOther)] : []
    if (job.state !== 'succeeded') return runsAgain ? [this.#button('Try again', 'retry', this.#on.retry), ...other] : []
    const json = { class: 'button', href: jobUrl(job.id), download: `${this.#stem()}.json`, title: 'Download the answer as JSON', 'aria-label': 'Download the answer as JSON', 'data-testid': 'download-json' }
    const answer = el('a', json, icon('braces'), 'JSON')
    downloadWithKey(answer, error => this.#complain(explain(error)))
    return broughtAnswer(job) === null ? [this.#download, answer, ...other] : [answer]
  }

  #button(text: string, iconName: Parameters<typeof icon>[0], act: () => void): HTMLElement {
    const button = el('button', { type: 'button', class: 'button' }, icon(iconName), text)
    button.addEventListener('click', act)
    return button
  }

  /** The picture's name without its ending, for the names of downloads. */
  #stem(): string {
    return this.#name.replace(/\.[^.]{1,5}$/, '')
  }
}

/** Why a job failed, for people. */
export function reasonOf(job: Job): string {
  return job.error?.detail ?? job.error?.title ?? 'The job failed, and the server kept no reason.'
}

/** What to say about a picture on its way, and how full its bar is: null when nobody knows. */
function wording(progress: Progress): { text: string; share: number | null; active: boolean } {
  switch (progress.kind) {
    case 'waiting':
      return { text: progress.reason, share: 0, active: true }
    case 'uploading':
      return progress.share < 1
        ? { text: `Uploading ${Math.floor(progress.share * 100)} %`, share: progress.share, active: true }
        : { text: 'Storing', share: null, active: true }
    case 'refused':
      return { text: 'Not accepted', share: null, active: false }
    case 'withdrawn':
      return { text: 'Cancelled', share: null, active: false }
    case 'job':
      return jobWording(progress.job)
  }
}

function jobWording(job: Job): { text: string; share: number | null; active: boolean } {
  switch (job.state) {
    case 'queued': {
      const again = job.attempts > 0 ? `Trying again after ${job.attempts === 1 ? 'one failure' : `${job.attempts} failures`}. ` : ''
      return { text: again + (job.waitsFor ?? standing(job.position, job.etaSeconds)), share: null, active: true }
    }
    case 'running':
      return { text: 'Running', share: null, active: true }
    case 'succeeded':
      return { text: 'Done', share: null, active: false }
    case 'failed':
      return { text: 'Failed', share: null, active: false }
    case 'dead':
      return { text: `Given up after ${job.attempts} attempts`, share: null, active: false }
    case 'cancelled':
      return { text: 'Cancelled', share: null, active: false }
  }
}
