import { describe, expect, it } from 'vitest'
import { readRefusal } from '../src/api/refusal'

describe('a refusal', () => {
  it('says what the server says', () => {
    const body = JSON.stringify({ title: 'Unsupported picture', status: 415, detail: 'Send a JPEG.', code: 'unsupported_image' })
    expect(readRefusal(415, body, null)).toMatchObject({ message: 'Send a JPEG.', code: 'unsupported_image', status: 415 })
  })

  it('falls back to the title', () => {
    expect(readRefusal(400, '{"title":"Bad request"}', null).message).toBe('Bad request')
  })

  it.each(['', '<html>502</html>', 'null', '"text"'])('bears a body that is no problem: %j', body => {
    expect(readRefusal(502, body, null)).toMatchObject({ code: 'unknown', message: 'The server answered with status 502 and no reason.' })
  })

  it('is a reason to wait only when the service has too much to do', () => {
    expect(readRefusal(429, '', '7')).toMatchObject({ isBusy: true, retryAfterSeconds: 7 })
    expect(readRefusal(503, '{"code":"busy"}', null)).toMatchObject({ isBusy: true, retryAfterSeconds: null })
    expect(readRefusal(503, '{"code":"no_model"}', null).isBusy).toBe(false)
    expect(readRefusal(429, '', 'Wed, 21 Oct 2026 07:28:00 GMT').retryAfterSeconds).toBeNull()
  })
})
