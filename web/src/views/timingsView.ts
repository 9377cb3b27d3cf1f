import type { Job, Timings } from '../api/contract'
import { el } from '../dom'
import { duration } from '../text'

const stages: [keyof Timings, string][] = [
  ['fetchMs', 'Fetch'],
  ['decodeMs', 'Decode'],
  ['inferMs', 'Model'],
  ['postMs', 'Boxes'],
  ['encodeMs', 'Draw'],
]

/**
 * Where the time of a job went, as one bar and in numbers. Waiting stands apart: next to it the work would be too thin
 * to see.
 */
export function timingsView(job: Job): HTMLElement | null {
  const timings = job.timings
  if (timings === null) return null
  if (job.cachedFrom !== null) return el('p', { class: 'note', 'data-testid': 'cached' }, 'Answered from an earlier run on the same picture.')
  const total = stages.reduce((sum, [stage]) => sum + timings[stage], 0)
  const bar = el('div', { class: 'timing-bar', 'aria-hidden': 'true' })
  const list = el(
    'dl',
    { class: 'timing-list' },
    el('div', {}, el('dt', {}, el('span', { class: 'key queuedMs' }), 'Queued'), el('dd', {}, duration(timings.queuedMs))),
  )
  for (const [stage, name] of stages) {
    const ms = timings[stage]
    const part = el('span', { class: `stage ${stage}` })
    part.style.flexGrow = String(ms)
    if (ms > 0) bar.append(part)
    list.append(
      el('div', {}, el('dt', {}, el('span', { class: `key ${stage}` }), name), el('dd', {}, duration(ms))),
    )
  }
  return el(
    'details',
    { class: 'timings' },
    el('summary', {}, el('span', {}, 'Run time'), bar, el('span', { class: 'total' }, duration(total))),
    list,
  )
}
