import { listDead, redriveDead, type Redrive } from '../api/client'
import type { Job, Stats } from '../api/contract'
import { explain } from '../api/refusal'
import { el, setText } from '../dom'
import { ago, count } from '../text'
import { reasonOf } from './card'
import { togglePanel } from './togglePanel'

const pageSize = 100

/** Jobs that used up their attempts: why, which, and a way to run them again. */
export class DeadPanel {
  readonly #button: HTMLElement
  readonly #panel: ReturnType<typeof togglePanel>
  readonly #list = el('div', { class: 'causes' })
  readonly #note = el('p', { class: 'note' })
  readonly #done = el('p', { class: 'note', role: 'status', 'data-testid': 'dead-done' })
  readonly #open: (job: Job) => void
  #seen = -1

  constructor(host: HTMLElement, button: HTMLElement, open: (job: Job) => void) {
    this.#button = button
    this.#open = open
    host.append(
      el(
        'div',
        { class: 'sheet' },
        el('div', { class: 'head' }, el('h2', {}, 'Given up'), el('p', { class: 'note' }, 'These jobs used up their attempts. Each keeps its picture until that expires.')),
        this.#done,
        this.#note,
        this.#list,
      ),
    )
    this.#panel = togglePanel(host, button, () => void this.#refresh())
  }

  /** Shows the button while there are such jobs, and follows them while somebody looks. */
  show({ dead }: Stats): void {
    this.#button.hidden = dead === 0 && !this.#panel.isOpen
    setText(this.#button, `Given up: ${dead}`)
    if (this.#panel.isOpen && dead !== this.#seen) void this.#refresh()
    this.#seen = dead
  }

  async #refresh(): Promise<void> {
    try {
      const { jobs, next } = await listDead(pageSize)
      const causes = [...new Set(jobs.map(causeOf))]
      this.#list.replaceChildren(...causes.map(cause => this.#cause(cause, jobs.filter(job => causeOf(job) === cause), next !== null)))
      setText(this.#note, jobs.length === 0 ? 'There are none any more.' : next === null ? '' : `The newest ${pageSize} are shown.`)
    } catch (error) {
      setText(this.#note, explain(error))
    }
  }

  #cause(code: string, jobs: readonly Job[], isMore: boolean): HTMLElement {
    const again = this.#again(`Run ${isMore ? 'all of these' : count(jobs.length, 'job')} again`, { error: code })
    again.dataset['error'] = code
    return el(
      'section',
      { 'aria-label': jobs[0]?.error?.title ?? code },
      el('div', { class: 'head' }, el('h3', {}, jobs[0]?.error?.title ?? code), again),
      el('ul', {}, ...jobs.map(job => this.#job(job))),
    )
  }

  #job(job: Job): HTMLElement {
    const show = el('button', { type: 'button', class: 'link' }, job.name ?? `Job ${job.id.slice(0, 12)}`)
    show.addEventListener('click', () => this.#open(job))
    const when = ago(Date.parse(job.finished ?? job.created), Date.now())
    return el('li', {}, show, el('span', { class: 'why' }, reasonOf(job)), el('span', { class: 'when' }, `${count(job.attempts, 'attempt')}, ${when}`), this.#again('Run again', { ids: [job.id] }))
  }

  #again(text: string, which: Redrive): HTMLButtonElement {
    const button = el('button', { type: 'button', class: 'button small' }, text)
    button.addEventListener('click', () => void this.#redrive(which))
    return button
  }

  async #redrive(which: Redrive): Promise<void> {
    try {
      const { redriven } = await redriveDead(which)
      await this.#refresh()
      setText(this.#done, redriven === 0 ? 'None of them could be run again: their pictures have expired.' : `${count(redriven, 'job')} put back into the queue.`)
    } catch (error) {
      setText(this.#done, explain(error))
    }
  }
}

function causeOf(job: Job): string {
  return job.error?.code ?? 'unknown'
}
