import type { LoggedDecision, ScaleSample, ScaleSeries } from '../api/contract'

/** A field of a chart, in its units; values grow upwards from its lower edge. */
export interface Band {
  top: number
  height: number
  /** The value at its upper edge. */
  most: number
}

/** The time that a chart shows: `seconds` up to `end` (milliseconds since 1970), `width` units wide. */
export interface Span {
  end: number
  seconds: number
  width: number
}

const tickSeconds = [10, 30, 60, 120, 300, 600, 900, 1800, 3600]

export function spanOf(series: ScaleSeries, seconds: number, width: number): Span {
  return { end: Date.parse(series.now), seconds, width }
}

export function xOf(time: number, { end, seconds, width }: Span): number {
  return width * (1 + (time - end) / (seconds * 1000))
}

/** Round moments within a span, in milliseconds since 1970: at most `most` of them, by the clock of `offsetMinutes` east of UTC. */
export function ticks({ end, seconds }: Span, most: number, offsetMinutes: number): number[] {
  const step = tickSeconds.find(step => seconds / step <= most) ?? tickSeconds.at(-1)!
  const [ms, offset] = [step * 1000, offsetMinutes * 60_000]
  const marks: number[] = []
  for (let time = Math.floor((end + offset) / ms) * ms - offset; time >= end - seconds * 1000; time -= ms) marks.unshift(time)
  return marks
}

export function timeAt(x: number, { end, seconds, width }: Span): number {
  return end + (x / width - 1) * seconds * 1000
}

/** A top of a scale that reads well: a small number times a power of ten, and never less than `least`. */
export function niceTop(value: number, least: number): number {
  const most = Math.max(value, least)
  const power = 10 ** Math.floor(Math.log10(most))
  for (const factor of [1, 1.2, 1.5, 2, 3, 4, 5, 6, 8]) if (factor * power >= most && Number.isInteger(factor * power)) return factor * power
  return 10 * power
}

function yOf(value: number, { top, height, most }: Band): number {
  return top + height * (1 - Math.min(value, most) / most)
}

/** What each sample lasts: until the next one, but no longer than a step if there is a gap. */
function ends(samples: readonly ScaleSample[], stepSeconds: number, end: number): number[] {
  return samples.map(({ time }, i) => {
    const next = samples[i + 1]
    const longest = Date.parse(time) + 2 * stepSeconds * 1000
    return Math.min(next === undefined ? end : Date.parse(next.time), longest, end)
  })
}

/** A line in steps through one value of the samples, broken where it is unknown or nobody looked; and the area under it. */
export function steps(
  { samples, stepSeconds }: ScaleSeries,
  valueOf: (sample: ScaleSample) => number | null,
  span: Span,
  band: Band,
): { line: string; area: string } {
  const until = ends(samples, stepSeconds, span.end)
  const bottom = band.top + band.height
  let line = ''
  let area = ''
  let open: { end: number } | null = null
  const close = () => {
    if (open !== null) area += `L${xOf(open.end, span).toFixed(1)} ${bottom}Z`
    open = null
  }
  samples.forEach((sample, i) => {
    const start = Date.parse(sample.time)
    const end = until[i] ?? start
    const value = valueOf(sample)
    if (value === null) return close()
    if (open !== null && open.end < start) close()
    const y = yOf(value, band).toFixed(1)
    const from = xOf(start, span).toFixed(1)
    const to = `${xOf(end, span).toFixed(1)} ${y}`
    line += open === null ? `M${from} ${y}L${to}` : `L${from} ${y}L${to}`
    area += open === null ? `M${from} ${bottom}L${from} ${y}L${to}` : `L${from} ${y}L${to}`
    open = { end }
  })
  close()
  return { line, area }
}

/** A bar for each sample with a value, from the lower edge. */
export function bars({ samples, stepSeconds }: ScaleSeries, valueOf: (sample: ScaleSample) => number, span: Span, band: Band): string {
  const width = Math.max(1.5, 0.7 * (xOf(stepSeconds * 1000, span) - xOf(0, span)))
  const bottom = band.top + band.height
  return samples
    .filter(sample => valueOf(sample) > 0)
    .map(sample => {
      const x = xOf(Date.parse(sample.time), span)
      return `M${x.toFixed(1)} ${bottom}V${yOf(valueOf(sample), band).toFixed(1)}h${width.toFixed(1)}V${bottom}Z`
    })
    .join('')
}

/** The sample that holds at a time; null in a gap. */
export function sampleAt({ samples, stepSeconds, now }: ScaleSeries, time: number): ScaleSample | null {
  const until = ends(samples, stepSeconds, Date.parse(now))
  for (let i = samples.length - 1; i >= 0; i--) {
    const sample = samples[i]
    if (sample !== undefined && Date.parse(sample.time) <= time) return time <= (until[i] ?? 0) ? sample : null
  }
  return null
}

/** The decision that held at a time, of decisions that are newest first; null if it was taken before all of them. */
export function decisionAt(decisions: readonly LoggedDecision[], time: number): LoggedDecision | null {
  return decisions.find(decision => Date.parse(decision.time) <= time) ?? null
}

/** Decisions that are newest first, joined with older ones that are. */
export function mergeDecisions(newer: readonly LoggedDecision[], older: readonly LoggedDecision[], most: number): LoggedDecision[] {
  const oldest = newer.at(-1)?.id ?? Number.POSITIVE_INFINITY
  return [...newer, ...older.filter(({ id }) => id < oldest)].slice(0, most)
}

/** How a decision changed the fleet: `up`, `down`, or not at all. */
export function direction({ launch, drain, cancelDrain }: { launch: number; drain: string[]; cancelDrain: string[] }): 'up' | 'down' | null {
  if (launch + cancelDrain.length > 0) return 'up'
  return drain.length > 0 ? 'down' : null
}
