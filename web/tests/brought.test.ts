import { describe, expect, it } from 'vitest'
import { broughtAnswer } from '../src/vision/brought'

describe('the answer of an engine that a worker brings', () => {
  it('is its summary, or all of it', () => {
    expect(broughtAnswer({ engine: 'brightness', model: 'brightness', result: { mean: 1, summary: 'mean 1' } })).toBe('mean 1')
    expect(broughtAnswer({ engine: 'brightness', model: 'brightness', result: { detections: 'none', summary: 5 } })).toBe('{"detections":"none","summary":5}')
  })

  it('is that of a session, too', () => {
    expect(broughtAnswer({ engine: 'workflow', model: 'gateway', result: { results: {}, summary: 'filter, detect finished' } })).toBe('filter, detect finished')
  })

  it('is cut where nobody would read on', () => {
    expect(broughtAnswer({ engine: 'a', model: 'a', result: { summary: 'x'.repeat(9_000) } })).toHaveLength(2_001)
  })

  it('is none of an engine that comes with Spotter, whatever its model is called', () => {
    expect(broughtAnswer({ engine: 'detect', model: 'detect', result: { width: 1 } })).toBeNull()
    expect(broughtAnswer({ engine: 'detect', model: 'yolo', result: { width: 1 } })).toBeNull()
    expect(broughtAnswer({ engine: 'filter', model: null, result: { width: 1 } })).toBeNull()
    expect(broughtAnswer({ engine: 'brightness', model: 'brightness', result: null })).toBeNull()
  })
})
