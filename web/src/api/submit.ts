import type { Job } from './contract'
import { keyHeaders } from './key'
import { readRefusal, Unreachable } from './refusal'

/**
 * The threshold that pictures are sent with. It is lower than what the page shows at first, so that the slider can go
 * down without asking the model again.
 */
export const sentConfidence = 0.1

export interface Submission {
  image: Blob
  fileName: string
  engine: string
  model: string
  /** Sent again with the same key, a picture becomes one job only. */
  idempotencyKey: string
}

/**
 * Sends a picture and returns its job. `onSent` gets the share that has left, 0 to 1. Throws Refusal, Unreachable, or
 * an AbortError when `signal` fires.
 */
export function submit(submission: Submission, onSent: (share: number) => void, signal: AbortSignal): Promise<Job> {
  const form = new FormData()
  form.append('engine', submission.engine)
  form.append('model', submission.model)
  form.append('confidence', String(sentConfidence))
  form.append('image', submission.image, submission.fileName)

  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    // fetch can't report how much of a body has left; XMLHttpRequest can.
    const request = new XMLHttpRequest()
    const abort = () => request.abort()
    signal.addEventListener('abort', abort, { once: true })

    request.upload.onprogress = event => {
      if (event.lengthComputable && event.total > 0) onSent(event.loaded / event.total)
    }
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) {
        try {
          resolve(JSON.parse(request.responseText) as Job)
        } catch {
          reject(new Unreachable('The answer to the upload could not be read. Is something between here and Spotter?'))
        }
      } else {
        reject(readRefusal(request.status, request.responseText, request.getResponseHeader('retry-after')))
      }
    }
    request.onerror = () =>
      reject(
        new Unreachable(
          'The connection broke during the upload. The server may have stopped, or the picture is larger than it takes.',
        ),
      )
    request.onabort = () => reject(signal.reason)
    request.onloadend = () => signal.removeEventListener('abort', abort)

    request.open('POST', 'v1/jobs')
    request.setRequestHeader('Idempotency-Key', submission.idempotencyKey)
    for (const [name, value] of Object.entries(keyHeaders())) request.setRequestHeader(name, value)
    request.send(form)
  })
}

/** 128 random bits; unlike `crypto.randomUUID` this works on pages served over plain HTTP in a local network too. */
export function newIdempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('')
}
