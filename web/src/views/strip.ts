import type { Stats } from '../api/contract'
import { el, setText, svg } from '../dom'
import { count, inVain } from '../text'
import { sparkline } from './sparkline'

const capacity = 90
const width = 120
const height = 28
const mostDots = 24
const unknown = '–'

/** Backlog and workers, live. */
export class Strip {
  readonly #host: HTMLElement
  readonly #waiting = el('dd', {}, unknown)
  readonly #running = el('dd', {}, unknown)
  readonly #rate = el('dd', {}, unknown)
  readonly #workers = el('dd', {}, unknown)
  readonly #dots = el('span', { class: 'dots', 'aria-hidden': 'true' })
  readonly #line = svg('path', { class: 'line' })
  readonly #area = svg('path', { class: 'area' })
  readonly #lost = el('p', { class: 'lost', role: 'status' })
  readonly #backlog: number[] = []

  constructor(host: HTMLElement) {
    this.#host = host
    const spark = svg(
      'svg',
      { class: 'spark', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': 'Backlog of the last 90 seconds' },
      this.#area,
      this.#line,
    )
    host.append(
      el(
        'dl',
        {},
        el('div', { class: 'backlog' }, el('dt', {}, 'waiting'), this.#waiting, el('dd', { class: 'drawing' }, spark)),
        el('div', {}, el('dt', {}, 'running'), this.#running),
        el('div', { class: 'rate' }, el('dt', {}, 'per s'), this.#rate),
        el('div', { class: 'fleet' }, el('dt', {}, 'workers'), this.#workers, el('dd', { class: 'drawing' }, this.#dots)),
      ),
      this.#lost,
    )
  }

  show(stats: Stats): void {
    this.#host.classList.remove('stale')
    setText(this.#lost, inVain(stats.unserved))
    this.#backlog.push(stats.queued)
    if (this.#backlog.length > capacity) this.#backlog.shift()
    const { line, area } = sparkline(this.#backlog, capacity, width, height)
    this.#line.setAttribute('d', line)
    this.#area.setAttribute('d', area)

    setText(this.#waiting, String(stats.queued))
    setText(this.#running, String(stats.running))
    setText(this.#rate, stats.jobsPerSecond === null ? unknown : stats.jobsPerSecond.toFixed(1))
    // Workers from elsewhere have no limit here.
    setText(this.#workers, stats.maxWorkers > 0 ? `${stats.workers} of ${stats.maxWorkers}` : String(stats.workers))
    this.#showDots(stats)
  }

  /** Nobody knows how it stands: numbers of before would be a lie, and zeros a worse one, so none are shown. */
  showLost(): void {
    this.#host.classList.add('stale')
    setText(this.#lost, 'No connection to Spotter. Trying again…')
  }

  #showDots(stats: Stats): void {
    const states = [
      ...Array<string>(stats.busy).fill('busy'),
      ...Array<string>(stats.idle).fill('idle'),
      ...Array<string>(stats.booting).fill('booting'),
      ...Array<string>(stats.loading).fill('booting'),
      ...Array<string>(stats.draining).fill('draining'),
    ]
    while (states.length < Math.min(stats.maxWorkers, mostDots)) states.push('free')
    states.length = Math.min(states.length, mostDots)

    while (this.#dots.childElementCount > states.length) this.#dots.lastElementChild?.remove()
    while (this.#dots.childElementCount < states.length) this.#dots.append(el('i'))
    states.forEach((state, i) => {
      const dot = this.#dots.children[i]
      if (dot !== undefined && dot.className !== state) dot.className = state
    })
    this.#dots.title = `${stats.busy} busy, ${stats.idle} idle, ${stats.booting} booting, ${stats.loading} loading models, ${stats.draining} draining; at most ${count(stats.maxWorkers, 'worker')}`
  }
}
