import { getSeries, listDecisions } from '../api/client'
import type { LoggedDecision, Stats } from '../api/contract'
import { Refusal } from '../api/refusal'
import { el, setText } from '../dom'
import { mergeDecisions } from '../scaling/drawing'
import { ScalingChart } from './scalingChart'
import { togglePanel } from './togglePanel'
import { WhatIfForm } from './whatIf'

const spans = [
  { seconds: 300, label: '5 min' },
  { seconds: 900, label: '15 min' },
  { seconds: 3600, label: '1 h' },
] as const
const firstPage = 500
const laterPage = 50
const mostDecisions = 2000

/** Why there are as many workers as there are: opened by a button, asked for only while it is open. */
export class ScalingPanel {
  readonly #chart: ScalingChart
  readonly #whatIf: WhatIfForm
  readonly #note = el('p', { class: 'note', role: 'status' })
  readonly #latest = el('p', { class: 'latest', 'data-testid': 'scaling-latest' })
  readonly #body = el('div', { class: 'charts' })
  #seconds: number = spans[0].seconds
  #decisions: LoggedDecision[] = []
  readonly #panel: ReturnType<typeof togglePanel>
  #asking = false

  constructor(host: HTMLElement, button: HTMLElement) {
    this.#chart = new ScalingChart(this.#body)
    this.#body.append(this.#latest)
    this.#whatIf = new WhatIfForm(this.#body)
    host.append(
      el('div', { class: 'sheet' }, el('div', { class: 'head' }, el('h2', {}, 'Why so many workers'), this.#choice()), this.#note, this.#body),
    )
    this.#panel = togglePanel(host, button, () => void this.#begin())
  }

  async #begin(): Promise<void> {
    await this.refresh(null)
    if (!this.#body.hidden) await this.#whatIf.refresh().catch(() => undefined)
  }

  /** Asks for what is new, if anybody looks. */
  async refresh(stats: Stats | null): Promise<void> {
    if (!this.#panel.isOpen || this.#asking) return
    if (stats !== null && stats.maxWorkers === 0) {
      this.#body.hidden = true
      return setText(this.#note, 'The workers of this service are started elsewhere, so nothing is decided here.')
    }
    this.#asking = true
    try {
      const [series, page] = await Promise.all([getSeries(this.#seconds), listDecisions(this.#decisions.length === 0 ? firstPage : laterPage)])
      this.#decisions = mergeDecisions(page.decisions, this.#decisions, mostDecisions)
      this.#chart.show(series, this.#decisions, this.#seconds)
      setText(this.#latest, this.#decisions[0]?.decision.reason ?? 'Nothing has been decided yet.')
      setText(this.#note, '')
      this.#body.hidden = false
    } catch (error) {
      // A lost server is told of by the strip.
      if (error instanceof Refusal) setText(this.#note, error.message)
    } finally {
      this.#asking = false
    }
  }

  #choice(): HTMLElement {
    const select = el('select', { 'aria-label': 'How far back', 'data-testid': 'scaling-span' }, ...spans.map(({ seconds, label }) => el('option', { value: seconds }, label)))
    select.addEventListener('change', () => {
      this.#seconds = Number(select.value)
      void this.refresh(null)
    })
    return select
  }
}
