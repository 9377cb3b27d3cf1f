import { getScalingDays, getWhatIf } from '../api/client'
import type { Preset, ReplayedDay, WhatIf } from '../api/contract'
import { explain } from '../api/refusal'
import { el, setText } from '../dom'
import { duration, hours } from '../text'

const presets: readonly { value: Preset; label: string }[] = [
  { value: 'eco', label: 'eco: rather wait than pay' },
  { value: 'balanced', label: 'balanced' },
  { value: 'fast', label: 'fast: rather pay than wait' },
]

const seconds = (n: number) => duration(1_000 * n)

/** A recorded day with another preset, beside the same day as the service is set. */
export class WhatIfForm {
  readonly #day = el('select', { id: 'what-if-day', 'data-testid': 'what-if-day' })
  readonly #preset = el('select', { id: 'what-if-preset', 'data-testid': 'what-if-preset' }, ...presets.map(({ value, label }) => el('option', { value }, label)))
  readonly #most = el('input', { id: 'what-if-most', type: 'number', min: 1, max: 256, placeholder: 'as set', 'data-testid': 'what-if-most' })
  readonly #go = el('button', { type: 'submit', class: 'button small' }, 'Compare')
  readonly #note = el('p', { class: 'note', role: 'status' })
  readonly #answer = el('div', { class: 'answer', 'data-testid': 'what-if-answer' })

  constructor(host: HTMLElement) {
    const form = el(
      'form',
      { class: 'what-if' },
      el('h3', {}, 'What if'),
      field('Day', this.#day),
      field('Preset', this.#preset),
      field('Most workers', this.#most),
      this.#go,
    )
    form.addEventListener('submit', event => {
      event.preventDefault()
      void this.#compare()
    })
    host.append(form, this.#answer, this.#note)
  }

  /** Asks which days there are. */
  async refresh(): Promise<void> {
    const chosen = this.#day.value
    const { days } = await getScalingDays()
    this.#day.replaceChildren(...days.map(day => el('option', { value: day }, day)))
    if (days.includes(chosen)) this.#day.value = chosen
    this.#go.disabled = days.length === 0
    if (days.length === 0) setText(this.#note, 'As soon as jobs have come in, their day can be tried again with other settings.')
    else if (this.#answer.childElementCount === 0) setText(this.#note, 'Play a recorded day again (days are those of UTC).')
  }

  async #compare(): Promise<void> {
    this.#go.disabled = true
    setText(this.#note, 'Playing the day again…')
    try {
      const preset = presets.find(({ value }) => value === this.#preset.value)?.value ?? 'balanced'
      const most = this.#most.value === '' ? null : Number(this.#most.value)
      const answer = await getWhatIf(this.#day.value, preset, most)
      this.#answer.replaceChildren(table(answer))
      setText(this.#note, basis(answer))
    } catch (error) {
      this.#answer.replaceChildren()
      setText(this.#note, explain(error))
    } finally {
      this.#go.disabled = false
    }
  }
}

function field(label: string, control: HTMLElement): HTMLElement {
  return el('div', { class: 'field' }, el('label', { for: control.id }, label), control)
}

function table({ terms, asSet, whatIf }: WhatIf): HTMLElement {
  const named = ({ preset, maxWorkers }: ReplayedDay) => `${preset}, at most ${maxWorkers}`
  const row = (what: string, of: (day: ReplayedDay) => string) => el('tr', {}, el('th', { scope: 'row' }, what), el('td', {}, of(asSet)), el('td', {}, of(whatIf)))
  return el(
    'table',
    {},
    el('thead', {}, el('tr', {}, el('td', {}), el('th', { scope: 'col' }, `As it is set (${named(asSet)})`), el('th', { scope: 'col' }, `What if (${named(whatIf)})`))),
    el(
      'tbody',
      {},
      row('Worker-hours', day => hours(day.workerHours)),
      ...(terms.pricePerHour > 0 ? [row('Cost', day => day.cost.toFixed(2))] : []),
      row('Half waited at most', day => seconds(day.waitP50)),
      row('95 in 100 waited at most', day => seconds(day.waitP95)),
      row('99 in 100 waited at most', day => seconds(day.waitP99)),
      row(`Answers after ${seconds(terms.sloSeconds)}`, day => String(day.late)),
      row('Workers started', day => String(day.launches)),
      row('Most at a time', day => String(day.mostWorkers)),
    ),
  )
}

function basis({ terms, asSet }: WhatIf): string {
  return `${asSet.jobs} jobs of ${seconds(terms.serviceSeconds)} each on workers that boot in ${seconds(terms.bootSeconds)}, as measured here; policy ${terms.policy}, simulated.`
}
