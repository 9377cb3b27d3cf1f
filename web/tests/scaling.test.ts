import { describe, expect, it } from 'vitest'
import type { LoggedDecision, ScaleSample, ScaleSeries } from '../src/api/contract'
import { bars, decisionAt, direction, mergeDecisions, niceTop, sampleAt, spanOf, steps, ticks, timeAt, xOf } from '../src/scaling/drawing'

const noon = Date.parse('2026-01-01T12:00:00Z')
const at = (seconds: number) => new Date(noon + seconds * 1000).toISOString()

const sample = (seconds: number, values: Partial<ScaleSample> = {}): ScaleSample => ({
  time: at(seconds),
  queued: 0,
  running: 0,
  arrived: 0,
  wanted: 0,
  ready: 0,
  booting: 0,
  draining: 0,
  ...values,
})

const series = (...samples: ScaleSample[]): ScaleSeries => ({ now: at(10), stepSeconds: 1, samples })

const decision = (id: number, seconds: number): LoggedDecision => ({
  id,
  time: at(seconds),
  decision: { target: 1, launch: 0, drain: [], cancelDrain: [], reason: `reason ${id}` },
})

const band = { top: 0, height: 100, most: 10 }

describe('the time axis', () => {
  it('has a few marks at round times of the clock', () => {
    const span = (seconds: number) => ({ end: noon + 10_000, seconds, width: 1000 })
    const marks = (seconds: number, offset = 0) => ticks(span(seconds), 6, offset).map(time => new Date(time).toISOString().slice(11, 19))
    expect(marks(300)).toEqual(['11:56:00', '11:57:00', '11:58:00', '11:59:00', '12:00:00'])
    expect(marks(900)).toEqual(['11:50:00', '11:55:00', '12:00:00'])
    // By the clock of whoever looks: in Nepal it is five hours and 45 minutes later.
    expect(marks(3600, 345)).toEqual(['11:05:00', '11:15:00', '11:25:00', '11:35:00', '11:45:00', '11:55:00'])
  })

  const span = spanOf(series(), 10, 100)

  it('ends now and goes both ways', () => {
    expect(xOf(noon + 10_000, span)).toBe(100)
    expect(xOf(noon, span)).toBe(0)
    expect(timeAt(50, span)).toBe(noon + 5000)
  })
})

describe('steps', () => {
  it('hold a value until the next sample and up to now', () => {
    const drawn = steps(series(sample(8, { queued: 5 }), sample(9, { queued: 10 })), s => s.queued, spanOf(series(), 10, 100), band)
    expect(drawn.line).toBe('M80.0 50.0L90.0 50.0L90.0 0.0L100.0 0.0')
    expect(drawn.area).toBe('M80.0 100L80.0 50.0L90.0 50.0L90.0 0.0L100.0 0.0L100.0 100Z')
  })

  it('break where nobody looked, and where nobody knew', () => {
    const span = spanOf(series(), 10, 100)
    const gap = steps(series(sample(0, { queued: 5 }), sample(6, { queued: 5 }), sample(7, { queued: 5 })), s => s.queued, span, band)
    expect(gap.line.match(/M/g)).toHaveLength(2)
    expect(gap.line.startsWith('M0.0 50.0L20.0 50.0M60.0')).toBe(true)

    const unknown = steps(series(sample(7, { queued: 5 }), sample(8, { queued: null }), sample(9, { queued: 5 })), s => s.queued, span, band)
    expect(unknown.line).toBe('M70.0 50.0L80.0 50.0M90.0 50.0L100.0 50.0')
  })

  it('draw nothing for nothing', () => {
    expect(steps(series(), s => s.queued, spanOf(series(), 10, 100), band)).toEqual({ line: '', area: '' })
  })
})

describe('bars', () => {
  it('stand where something came in', () => {
    expect(bars(series(sample(5), sample(6, { arrived: 10 })), s => s.arrived, spanOf(series(), 10, 100), band)).toBe('M60.0 100V0.0h7.0V100Z')
  })
})

describe('the scale', () => {
  it.each([
    [0, 1, 1],
    [3, 4, 4],
    [5, 4, 5],
    [11, 1, 12],
    [110, 1, 120],
    [7, 1, 8],
    [900, 1, 1000],
  ])('of %d, at least %d, ends at %d', (value, least, top) => expect(niceTop(value, least)).toBe(top))
})

describe('what held at a time', () => {
  it('is the latest sample before it, unless that was too long ago', () => {
    const some = series(sample(0, { ready: 1 }), sample(6, { ready: 2 }))
    expect(sampleAt(some, noon + 1000)?.ready).toBe(1)
    expect(sampleAt(some, noon + 4000)).toBeNull()
    expect(sampleAt(some, noon + 6000)?.ready).toBe(2)
    expect(sampleAt(some, noon - 1)).toBeNull()
  })

  it('is the latest decision before it', () => {
    const some = [decision(3, 9), decision(2, 5), decision(1, 1)]
    expect(decisionAt(some, noon + 8999)?.id).toBe(2)
    expect(decisionAt(some, noon + 9000)?.id).toBe(3)
    expect(decisionAt(some, noon)).toBeNull()
  })
})

describe('decisions', () => {
  it('are joined without doubles and bounded', () => {
    const ids = mergeDecisions([decision(4, 4), decision(3, 3)], [decision(3, 3), decision(2, 2), decision(1, 1)], 3).map(d => d.id)
    expect(ids).toEqual([4, 3, 2])
    expect(mergeDecisions([], [decision(1, 1)], 3)).toHaveLength(1)
  })

  it('go up, down or nowhere', () => {
    expect(direction({ launch: 1, drain: [], cancelDrain: [] })).toBe('up')
    expect(direction({ launch: 0, drain: [], cancelDrain: ['a'] })).toBe('up')
    expect(direction({ launch: 0, drain: ['a'], cancelDrain: [] })).toBe('down')
    expect(direction({ launch: 0, drain: [], cancelDrain: [] })).toBeNull()
  })
})
