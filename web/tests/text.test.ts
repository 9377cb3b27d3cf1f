import { expect, it } from 'vitest'
import { ago, duration, inVain, percent, standing } from '../src/text'

it.each([
  [0, '0.0 ms'],
  [1.24, '1.2 ms'],
  [48.6, '49 ms'],
  [999.7, '1.0 s'],
  [1_240, '1.2 s'],
  [35_400, '35 s'],
  [180_000, '3 min'],
])('words %d ms as %s', (ms, text) => expect(duration(ms)).toBe(text))

it('words a place in the line with what is known', () => {
  expect(standing(null, null)).toBe('Queued')
  expect(standing(0, 0.4)).toBe('Next in line, about 1 s')
  expect(standing(12, 8.2)).toBe('12 ahead in line, about 8 s')
  expect(standing(900, 300)).toBe('900 ahead in line, about 5 min')
})

it('words shares and ages', () => {
  expect(percent(0.255)).toBe('26 %')
  expect(ago(0, 3_000)).toBe('just now')
  expect(ago(0, 59_000)).toBe('59 s ago')
  expect(ago(0, 7_300_000)).toBe('2 h ago')
  // The server's clock may be ahead of this one.
  expect(ago(10_000, 0)).toBe('just now')
})

it('says how many pictures wait in vain, and nothing when none does', () => {
  expect(inVain(0)).toBe('')
  expect(inVain(1)).toBe('1 picture waits for a model that no worker has')
  expect(inVain(12)).toBe('12 pictures wait for a model that no worker has')
})
