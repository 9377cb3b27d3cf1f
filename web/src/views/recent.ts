import { listJobs } from '../api/client'
import type { Job } from '../api/contract'
import { explain } from '../api/refusal'
import { el, setText } from '../dom'
import type { Setting } from '../setting'
import { ago, percent } from '../text'
import { broughtAnswer } from '../vision/brought'
import { answersOf, countLabels, findingsAbove } from '../vision/findings'
import { madeText, wholeText } from '../vision/whole'
import { mergeNewest } from './recentJobs'

const pageSize = 20
const most = 500

/** The latest jobs of the service, whoever sent them. */
export class Recent {
  readonly #list = el('ol')
  readonly #empty = el('p', { class: 'note' }, 'Nothing yet. Jobs of this service appear here, newest first.')
  readonly #more = el('button', { type: 'button', class: 'button', hidden: true }, 'Show more')
  readonly #open: (job: Job) => void
  #jobs: Job[] = []
  readonly #confidence: Setting<number>
  #next: string | null = null
  #expanded = false
  #refreshing = false

  constructor(host: HTMLElement, confidence: Setting<number>, open: (job: Job) => void) {
    this.#confidence = confidence
    this.#open = open
    host.append(this.#list, this.#empty, this.#more)
    this.#more.addEventListener('click', () => void this.#loadMore())
    confidence.watch(() => this.#render())
  }

  /** Asks for the newest page; failing is no matter, since the strip tells about a lost server. */
  async refresh(): Promise<void> {
    if (this.#refreshing) return
    this.#refreshing = true
    try {
      const page = await listJobs(pageSize, null)
      const merged = mergeNewest(this.#jobs, page.jobs)
      if (this.#expanded && merged.joined && merged.jobs.length <= most) {
        this.#jobs = merged.jobs
      } else {
        this.#expanded = false
        this.#jobs = page.jobs
        this.#next = page.next
      }
      this.#render()
    } catch {
      // The next refresh comes soon.
    } finally {
      this.#refreshing = false
    }
  }

  /** Lets the ages grow without asking anybody. */
  age(): void {
    const now = Date.now()
    const ages = this.#list.querySelectorAll('.when')
    this.#jobs.forEach((job, i) => {
      const age = ages[i]
      if (age !== undefined) setText(age, ago(Date.parse(job.created), now))
    })
  }

  async #loadMore(): Promise<void> {
    if (this.#next === null) return
    this.#more.disabled = true
    try {
      const page = await listJobs(pageSize, this.#next)
      const known = new Set(this.#jobs.map(job => job.id))
      this.#jobs = [...this.#jobs, ...page.jobs.filter(job => !known.has(job.id))]
      this.#next = page.next
      this.#expanded = true
      setText(this.#more, 'Show more')
      this.#render()
    } catch (error) {
      setText(this.#more, `${explain(error)} Try again`)
    } finally {
      this.#more.disabled = false
    }
  }

  #render(): void {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset['recent'] : undefined
    this.#list.replaceChildren(...this.#jobs.map(job => this.#item(job)))
    if (focused !== undefined) {
      this.#list.querySelector<HTMLElement>(`[data-recent="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true })
    }
    this.#empty.hidden = this.#jobs.length > 0
    document.body.classList.toggle('has-recent', this.#jobs.length > 0)
    this.#more.hidden = this.#next === null
  }

  #item(job: Job): HTMLElement {
    const { name } = job
    const outcome = gist(job, this.#confidence.value)
    const button = el(
      'button',
      { type: 'button', 'data-recent': job.id, 'data-state': job.state },
      el('span', { class: 'state', role: 'img', 'aria-label': job.state }),
      el('span', { class: 'what' }, name ?? outcome),
      el('span', { class: 'when' }, ago(Date.parse(job.created), Date.now())),
      el('span', { class: 'gist' }, name === null ? `Job ${job.id}` : outcome),
    )
    button.addEventListener('click', () => this.#open(job))
    return el('li', {}, button)
  }
}

function gist(job: Job, confidence: number): string {
  if (job.state === 'failed' || job.state === 'dead') return job.error?.title ?? job.error?.detail ?? job.state
  if (job.state !== 'succeeded') return job.state
  const said = broughtAnswer(job) ?? madeText(job)
  if (said !== null) return said
  const found = countLabels(findingsAbove(job.result?.detections ?? [], confidence))
  if (found.length > 0) return found.map(({ label, count }) => `${count} ${label}`).join(', ')
  const regions = job.result?.regions?.map(({ label, share }) => `${percent(share)} ${label}`).join(', ')
  const answers = job.result ? answersOf(job.result) : null
  return regions ?? (job.result && wholeText(job.result)) ?? answers?.[0]?.label ?? 'nothing found'
}
