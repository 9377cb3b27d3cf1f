import { describe, expect, it } from 'vitest'
import { mergeNewest } from '../src/views/recentJobs'
import { sparkline } from '../src/views/sparkline'

const jobs = (...ids: string[]) => ids.map(id => ({ id, state: 'queued' }))

describe('the list of recent jobs', () => {
  it('puts new jobs first and keeps older pages', () => {
    const merged = mergeNewest(jobs('c', 'b', 'a'), jobs('d', 'c'))
    expect(merged).toEqual({ jobs: jobs('d', 'c', 'b', 'a'), joined: true })
  })

  it('takes the new state of a job it knows', () => {
    const merged = mergeNewest(jobs('a'), [{ id: 'a', state: 'succeeded' }])
    expect(merged.jobs).toEqual([{ id: 'a', state: 'succeeded' }])
  })

  it('drops what may lie behind a gap', () => {
    expect(mergeNewest(jobs('b', 'a'), jobs('z', 'y'))).toEqual({ jobs: jobs('z', 'y'), joined: false })
  })
})

describe('the sparkline', () => {
  it('draws nothing for nothing', () => {
    expect(sparkline([], 10, 100, 20)).toEqual({ line: '', area: '' })
  })

  it('ends at the right edge and stays in its field', () => {
    const { line, area } = sparkline([0, 40, 20], 11, 100, 20)
    expect(line).toBe('M80.0 19.0L90.0 1.0L100.0 10.0')
    expect(area).toBe(`${line}L100 20L80.0 20Z`)
  })

  it('does not blow up a single waiting job', () => {
    expect(sparkline([1], 11, 100, 20).line).toBe('M100.0 14.5')
  })
})
