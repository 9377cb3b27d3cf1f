import type { LoggedDecision, ScaleSample, ScaleSeries } from '../api/contract'
import { el, setText, svg } from '../dom'
import { bars, decisionAt, direction, niceTop, sampleAt, spanOf, steps, ticks, timeAt, xOf, type Band } from '../scaling/drawing'
import { count } from '../text'

const width = 1000
const jobsBand = { top: 8, height: 112 }
const workersBand = { top: 148, height: 76 }
const height = 232
const mostTicks = 6
const minutes = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' })

/** Backlog and arrivals above, workers below; pointing at a moment says how it stood then, and why. */
export class ScalingChart {
  readonly #plot: HTMLElement
  readonly #waiting = { line: svg('path', { class: 'line waiting' }), area: svg('path', { class: 'area waiting' }) }
  readonly #arrivals = svg('path', { class: 'arrivals' })
  readonly #ready = { line: svg('path', { class: 'line ready' }), area: svg('path', { class: 'area ready' }) }
  readonly #wanted = svg('path', { class: 'line wanted' })
  readonly #ups = svg('path', { class: 'mark up' })
  readonly #downs = svg('path', { class: 'mark down' })
  readonly #cursor = svg('path', { class: 'cursor' })
  readonly #jobsTop = el('span', { class: 'scale jobs' })
  readonly #workersTop = el('span', { class: 'scale workers' })
  readonly #ticks = svg('path', { class: 'base' })
  readonly #times = el('p', { class: 'times', 'aria-hidden': 'true' })
  readonly #tip = el('div', { class: 'tip', role: 'status', 'data-testid': 'scaling-tip', hidden: true })
  #series: ScaleSeries | null = null
  #decisions: readonly LoggedDecision[] = []
  #seconds = 900
  /** The moment pointed at, in milliseconds; null when none is. */
  #time: number | null = null

  constructor(host: HTMLElement) {
    const drawing = svg(
      'svg',
      { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      svg('path', { class: 'base', d: baseLines() }),
      this.#ticks,
      this.#arrivals,
      this.#waiting.area,
      this.#waiting.line,
      this.#ready.area,
      this.#ready.line,
      this.#wanted,
      this.#ups,
      this.#downs,
      this.#cursor,
    )
    this.#plot = el(
      'div',
      {
        class: 'plot',
        tabindex: 0,
        role: 'application',
        'data-testid': 'scaling-chart',
        'aria-label': 'Backlog and workers over time. The arrow keys go from decision to decision.',
      },
      drawing,
      this.#jobsTop,
      this.#workersTop,
    )
    host.append(
      el(
        'p',
        { class: 'legend', 'aria-hidden': 'true' },
        el('span', { class: 'waiting' }, 'waiting'),
        el('span', { class: 'arrivals' }, 'came in'),
        el('span', { class: 'wanted' }, 'workers wanted'),
        el('span', { class: 'ready' }, 'workers ready'),
      ),
      this.#plot,
      this.#times,
      // Below the chart, where it covers nothing that it tells of.
      el('div', { class: 'told' }, this.#tip),
    )
    this.#plot.addEventListener('pointermove', event => this.#pointAt(event.clientX))
    this.#plot.addEventListener('pointerdown', event => this.#pointAt(event.clientX))
    this.#plot.addEventListener('pointerleave', () => this.#point(null))
    this.#plot.addEventListener('blur', () => this.#point(null))
    this.#plot.addEventListener('keydown', event => this.#onKey(event))
  }

  show(series: ScaleSeries, decisions: readonly LoggedDecision[], seconds: number): void {
    this.#series = series
    this.#decisions = decisions
    this.#seconds = seconds
    const span = spanOf(series, seconds, width)
    const jobs = this.#band(jobsBand, s => Math.max(s.queued ?? 0, s.arrived), 4)
    const workers = this.#band(workersBand, s => Math.max(s.wanted, s.ready), 1)

    this.#draw(this.#waiting, steps(series, s => s.queued, span, jobs))
    this.#arrivals.setAttribute('d', bars(series, s => s.arrived, span, jobs))
    this.#draw(this.#ready, steps(series, s => s.ready, span, workers))
    this.#wanted.setAttribute('d', steps(series, s => s.wanted, span, workers).line)
    const acted = decisions.map(d => ({ x: xOf(Date.parse(d.time), span), way: direction(d.decision) })).filter(({ x }) => x >= 0)
    const edge = workersBand.top - 14
    this.#ups.setAttribute('d', acted.filter(a => a.way === 'up').map(({ x }) => `M${x.toFixed(1)} ${edge}l4 8h-8Z`).join(''))
    this.#downs.setAttribute('d', acted.filter(a => a.way === 'down').map(({ x }) => `M${x.toFixed(1)} ${edge + 8}l4 -8h-8Z`).join(''))

    setText(this.#jobsTop, count(jobs.most, 'job'))
    setText(this.#workersTop, count(workers.most, 'worker'))
    const marks = ticks(span, mostTicks, -new Date(span.end).getTimezoneOffset()).map(time => ({ time, x: xOf(time, span) }))
    this.#ticks.setAttribute('d', marks.map(({ x }) => `M${x.toFixed(1)} 0V${height}`).join(''))
    this.#times.replaceChildren(
      ...marks.map(({ time, x }) => {
        const mark = el('span', {}, (seconds <= 600 ? clock : minutes).format(time))
        mark.style.setProperty('--x', `${(100 * x) / width}%`)
        return mark
      }),
    )
    this.#tell()
  }

  #band(place: { top: number; height: number }, valueOf: (sample: ScaleSample) => number, least: number): Band {
    const most = Math.max(0, ...(this.#series?.samples ?? []).map(valueOf))
    return { ...place, most: niceTop(most, least) }
  }

  #draw({ line, area }: { line: SVGPathElement; area: SVGPathElement }, drawn: { line: string; area: string }): void {
    line.setAttribute('d', drawn.line)
    area.setAttribute('d', drawn.area)
  }

  #pointAt(clientX: number): void {
    if (this.#series === null) return
    const { left, width: shown } = this.#plot.getBoundingClientRect()
    this.#point(timeAt(((clientX - left) / shown) * width, spanOf(this.#series, this.#seconds, width)))
  }

  #point(time: number | null): void {
    this.#time = time
    this.#tell()
  }

  /** The next decision to the left or right that is still shown. */
  #onKey(event: KeyboardEvent): void {
    if (event.key === 'Escape') return this.#point(null)
    if ((event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') || this.#series === null) return
    event.preventDefault()
    const times = this.#decisions.map(d => Date.parse(d.time)).filter(time => time >= timeAt(0, spanOf(this.#series!, this.#seconds, width)))
    const now = this.#time ?? Number.POSITIVE_INFINITY
    const next = event.key === 'ArrowLeft' ? times.find(time => time < now) : times.findLast(time => time > now)
    if (next !== undefined) this.#point(next)
  }

  /** Says how it stood at the moment pointed at, and why. */
  #tell(): void {
    const series = this.#series
    const time = this.#time
    this.#tip.hidden = series === null || time === null
    if (series === null || time === null) return this.#cursor.setAttribute('d', '')

    const x = Math.min(width, Math.max(0, xOf(time, spanOf(series, this.#seconds, width))))
    this.#cursor.setAttribute('d', `M${x.toFixed(1)} 0V${height}`)
    const sample = sampleAt(series, time)
    const decision = decisionAt(this.#decisions, time)
    this.#tip.replaceChildren(
      el('strong', {}, clock.format(time)),
      el('p', {}, sample === null ? 'Nobody looked.' : stood(sample)),
      ...(decision === null ? [] : [el('p', { class: 'reason' }, decision.decision.reason), el('p', { class: 'since' }, `decided at ${clock.format(Date.parse(decision.time))}`)]),
    )
  }
}

function stood({ queued, running, arrived, wanted, ready, booting, draining }: ScaleSample): string {
  const jobs = queued === null ? 'backlog unknown' : `${queued} waiting, ${running ?? 0} running, ${arrived} came in`
  const others = [booting > 0 ? `${booting} booting` : '', draining > 0 ? `${draining} draining` : ''].filter(text => text !== '')
  return `${jobs}; ${count(wanted, 'worker')} wanted, ${[`${ready} ready`, ...others].join(', ')}`
}

function baseLines(): string {
  return [jobsBand, workersBand].map(({ top, height: high }) => `M0 ${top}H${width}M0 ${top + high}H${width}`).join('')
}
