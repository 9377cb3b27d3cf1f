import type { Job, JobEvent } from '../api/contract'
import { el } from '../dom'

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

/** What became of a job and when: its id, who sent it, its times, and what went another way than usual. */
export function historyView(job: Job): HTMLElement {
  const facts: [string, string | null][] = [
    ['Job', job.id],
    ['Sent by', job.by],
    ['Engine', job.engine],
    ['Model', job.modelVersion === null ? job.model : `${job.model ?? ''} (${job.modelVersion})`],
    ['Accepted', clock.format(Date.parse(job.created))],
    ['Started', job.started === null ? null : clock.format(Date.parse(job.started))],
    ['Ended', job.finished === null ? null : clock.format(Date.parse(job.finished))],
    ['Attempts', String(job.attempts)],
  ]
  return el(
    'details',
    { class: 'history', 'data-testid': 'history' },
    el('summary', {}, job.history.length === 0 ? 'About this job' : `About this job, which was ${wordsOf(job.history.at(-1)!)}`),
    el('dl', {}, ...facts.flatMap(([name, value]) => (value === null ? [] : [el('div', {}, el('dt', {}, name), el('dd', {}, value))]))),
    job.history.length === 0 ? null : el('ol', {}, ...job.history.map(eventItem)),
  )
}

function eventItem(event: JobEvent): HTMLElement {
  const attempt = event.attempt > 0 ? `Attempt ${event.attempt}: ` : ''
  const who = event.worker ?? event.by
  return el('li', {}, `${clock.format(Date.parse(event.at))}. ${attempt}${wordsOf(event)}${who === null ? '' : ` (${who})`}. ${event.error?.detail ?? ''}`)
}

function wordsOf({ kind }: JobEvent): string {
  switch (kind) {
    case 'retried':
      return 'tried again'
    case 'lost':
      return 'taken back from a lost worker'
    case 'cancelled':
      return 'cancelled'
    case 'redriven':
      return 'put back by somebody'
  }
}
