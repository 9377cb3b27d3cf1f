import type { Problem } from './contract'

const ofPicture: ReadonlySet<string | undefined> = new Set(['empty_body', 'unsupported_image', 'too_many_pixels', 'image_truncated', 'image_invalid', 'image_too_complex'])

/** Whether an error says that something is wrong with the picture itself: sent again, it would fail again. */
export function isOfPicture(code: string | undefined): boolean {
  return ofPicture.has(code)
}

/** The server answered, and the answer was no. */
export class Refusal extends Error {
  override readonly name = 'Refusal'

  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    /** How long the server asks to wait before the next try, in seconds. */
    readonly retryAfterSeconds: number | null,
  ) {
    super(detail)
  }

  /** The same picture would be refused again. */
  get isFinal(): boolean {
    return [413, 415].includes(this.status) || isOfPicture(this.code)
  }

  /** The service has too much to do just now; the same request may be taken later. */
  get isBusy(): boolean {
    return this.status === 429 || (this.status === 503 && this.code === 'busy')
  }
}

/** No answer came at all. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

/** Reads a refusal from the body of an answer, which may be anything when a proxy wrote it. */
export function readRefusal(status: number, body: string, retryAfter: string | null): Refusal {
  let problem: Problem = {}
  try {
    const parsed: unknown = JSON.parse(body)
    if (typeof parsed === 'object' && parsed !== null) problem = parsed
  } catch {
    // Not JSON: the status is all there is to tell.
  }
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter)
  return new Refusal(
    status,
    problem.code ?? 'unknown',
    problem.detail ?? problem.title ?? `The server answered with status ${status} and no reason.`,
    Number.isFinite(seconds) ? seconds : null,
  )
}

/** One sentence for people about anything that went wrong. */
export function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
