import { describe, expect, it } from 'vitest'
import { EventReader } from '../src/api/events'

const stream = 'event: job\ndata: {"a":1}\n\n: silence\n\nevent: job\r\ndata:one\r\ndata: two\r\n\r\nid: 7\n\ndata: cut off'

describe('an event stream', () => {
  it.each([1, 2, 3, 7, 1000])('is read whole when it comes in pieces of %i', size => {
    const events: string[] = []
    const reader = new EventReader(data => events.push(data))
    for (let at = 0; at < stream.length; at += size) reader.take(stream.slice(at, at + size))
    expect(events).toEqual(['{"a":1}', 'one\ntwo'])
  })
})
