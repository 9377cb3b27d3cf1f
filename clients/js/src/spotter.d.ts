import type { JobResult, JobState, JobView, ModelView, SubmitOptions } from './api.js'

export type * from './api.js'

/** A job, as the service shows it. Boxes are in pixels of the upright picture, origin top left. */
export type Job = JobView

/** What was found in a picture. Engines that workers bring have results of their own. */
export type Result = JobResult

/** A picture. In Node, `openAsBlob` of `node:fs` opens a file so that it is sent as it is read; a `File` brings its name along. A URL, or
 *  the text of one, is fetched by the service; in a list the jobs of those come last. */
export type Picture = Blob | ArrayBuffer | Uint8Array<ArrayBuffer> | URL | string

/** Options of a submission (docs/options.md). A field of several values can be a list; engines that workers bring have options of their own. */
export type Options = {
  [Name in keyof SubmitOptions]?: SubmitOptions[Name] | (string extends SubmitOptions[Name] ? readonly string[] : never)
} & { [name: string]: unknown }

/** `signal` ends a call, which then throws the signal's reason. */
export interface Cancellable {
  signal?: AbortSignal
}

export interface Waiting extends Cancellable {
  /** How long to wait; without end by default. After that a `TimeoutError` is thrown, and the job goes on. */
  waitSeconds?: number
}

/** The service refused a call, or did not answer. */
export class SpotterError extends Error {
  constructor(status: number, code: string, detail: string, retryAfterSeconds?: number | null, options?: ErrorOptions)
  /** The HTTP status; 0 without an answer. */
  readonly status: number
  /** Stable; `unreachable` without an answer. */
  readonly code: string
  /** A sentence for people. */
  readonly detail: string
  /** How long the service asks to wait; null when it does not say. */
  readonly retryAfterSeconds: number | null
}

/** The job ended without a result. `code` is that of its error, `cancelled` when it was cancelled. */
export class JobFailed extends SpotterError {
  constructor(job: Job)
  readonly job: Job
}

/** It is not a webhook of somebody who knows the secret, or it is too old. */
export class WebhookInvalid extends Error {}

/** A webhook; `timestamp` is when the job ended. */
export interface WebhookEvent {
  type: 'job.succeeded' | 'job.failed' | 'job.dead' | 'job.cancelled'
  timestamp: string
  data: Job
}

/** A client of a service. Its calls throw `SpotterError`. */
export class Spotter {
  /**
   * @param url The service; `http://127.0.0.1:8080` by default.
   * @param settings `key`: an API key, for services that need one. `timeoutSeconds`: how long a connection may be silent, apart from the time that
   * sending a picture takes; 30 by default.
   */
  constructor(url?: string, settings?: { key?: string | null | undefined; timeoutSeconds?: number })

  /**
   * Sends a picture, or a list of them, and returns the job or the jobs as they stand. If the connection breaks, it sends them again, and the
   * service makes no second job of them. The same `idempotencyKey` gives the same jobs for a week; it is a new random one by default.
   */
  submit(picture: Picture, options?: Options, request?: Cancellable & { idempotencyKey?: string }): Promise<Job>
  submit(pictures: Picture[], options?: Options, request?: Cancellable & { idempotencyKey?: string }): Promise<Job[]>

  /** Sends a picture and returns its job once it has succeeded; throws `JobFailed` if it ends otherwise. */
  detect(picture: Picture, options?: Options, waiting?: Waiting): Promise<Job>

  /** Returns a job once it has succeeded; throws `JobFailed` if it ends otherwise. */
  wait(job: Job | string, waiting?: Waiting): Promise<Job>

  /** A job as it stands. */
  job(id: string, request?: Cancellable): Promise<Job>

  /** All jobs, newest first; `page` of them are fetched at a time (500 at most). */
  jobs(filter?: Cancellable & { state?: JobState; engine?: string; page?: number }): AsyncGenerator<Job, void>

  /** A job as it stands and then at each change; ends when the job has ended. If the connection breaks, it connects again. */
  events(id: string, request?: Cancellable): AsyncGenerator<Job, void>

  /** Cancels a job; refused with `already_finished` if it has ended otherwise. */
  cancel(id: string, request?: Cancellable): Promise<Job>

  /** The picture with what was found drawn on it, as JPEG; with `confidence` only what is at least as sure. */
  annotated(id: string, request?: Cancellable & { confidence?: number }): Promise<Blob>

  /** The picture as it was sent. */
  original(id: string, request?: Cancellable): Promise<Blob>

  /** A file that the job made, by its name in the job's `outputs`. */
  output(id: string, name: string, request?: Cancellable): Promise<Blob>

  /** The models that requests can choose. */
  models(request?: Cancellable): Promise<ModelView[]>
}

/**
 * The webhook that came, if somebody who knows a secret sent it just now; else throws `WebhookInvalid`.
 *
 * @param body The bytes that came, or their text.
 * @param headers Its headers, in any case.
 * @param secrets The secret, `whsec_…`; several while one replaces another, in a list or with spaces between.
 * @param settings `toleranceSeconds`: by how much its timestamp may differ from the clock here; 300 by default.
 */
export function verifyWebhook(
  body: string | ArrayBuffer | Uint8Array,
  headers: Headers | Map<string, string> | Record<string, unknown>,
  secrets: string | Iterable<string>,
  settings?: { toleranceSeconds?: number },
): Promise<WebhookEvent>
