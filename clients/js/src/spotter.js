/**
 * Sends pictures to a Spotter service and gets back what was found. Works in Node 20 and newer and in browsers, and needs nothing else.
 * What can be called, and with what, is in spotter.d.ts.
 */

// How often a call is tried, and the longest wait between two tries: when the service asks for a longer one, the call fails.
const attempts = 5
const longestRetrySeconds = 60
// The first wait where the service names none; each later one is twice as long.
const firstRetrySeconds = 0.5
// How long one request waits for the result; the service waits no longer.
const requestWaitSeconds = 60
// Between two looks at a job: first, and at most.
const firstPollSeconds = 0.1
const longestPollSeconds = 2
// The service takes no picture that comes more slowly.
const leastBytesPerSecond = 10 * 1024
// The service breaks the silence of an event stream every 15 seconds.
const streamSilenceSeconds = 45

export class SpotterError extends Error {
  constructor(status, code, detail, retryAfterSeconds = null, options = undefined) {
    super(`${detail} (${code})`, options)
    this.name = 'SpotterError'
    this.status = status
    this.code = code
    this.detail = detail
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export class JobFailed extends SpotterError {
  constructor(job) {
    super(job.error?.status ?? 0, job.error?.code ?? job.state, job.error?.detail ?? `The job ${job.id} was ${job.state}.`)
    this.name = 'JobFailed'
    this.job = job
  }
}

export class WebhookInvalid extends Error {
  name = 'WebhookInvalid'
}

export class Spotter {
  #url
  // Private, so that nothing that prints a client shows it.
  #key
  #timeoutSeconds

  constructor(url = 'http://127.0.0.1:8080', { key = null, timeoutSeconds = 30 } = {}) {
    const address = new URL(url)
    if (!/^https?:$/.test(address.protocol) || address.search || address.username || address.password)
      throw new TypeError('The address of a service is http:// or https:// and a host; the key is passed beside it.')
    if (key !== null && !/^[!-~]+$/.test(key)) throw new TypeError('The key has characters that no key has, for example spaces or line breaks.')
    this.#url = address.href.replace(/\/+$/, '')
    this.#key = key
    this.#timeoutSeconds = timeoutSeconds
  }

  async submit(picture, options = {}, { idempotencyKey, signal } = {}) {
    const answer = await this.#submit(picture, options, idempotencyKey, null, signal)
    return Array.isArray(picture) ? (answer.jobs ?? [answer]) : answer
  }

  async detect(picture, options = {}, { waitSeconds = Infinity, signal } = {}) {
    const began = performance.now()
    const job = await this.#submit(picture, options, undefined, Math.min(waitSeconds, requestWaitSeconds), signal)
    return this.wait(job, { waitSeconds: waitSeconds - (performance.now() - began) / 1000, signal })
  }

  async wait(job, { waitSeconds = Infinity, signal } = {}) {
    const deadline = performance.now() + 1000 * waitSeconds
    let seen = typeof job === 'string' ? await this.job(job, { signal }) : job
    for (let pause = firstPollSeconds; !hasEnded(seen); pause = Math.min(2 * pause, longestPollSeconds)) {
      const left = (deadline - performance.now()) / 1000
      if (left <= 0) throw new DOMException(`The job ${seen.id} has not ended in time; it is ${seen.state}.`, 'TimeoutError')
      await sleep(Math.min(pause, left), signal)
      seen = await this.job(seen.id, { signal })
    }
    if (seen.state !== 'succeeded') throw new JobFailed(seen)
    return seen
  }

  job(id, { signal } = {}) {
    return this.#json('GET', path('v1', 'jobs', id), { signal })
  }

  async *jobs({ state, engine, page = 100, signal } = {}) {
    const query = new URLSearchParams({ limit: String(page), ...(state && { state }), ...(engine && { engine }) })
    for (;;) {
      const answer = await this.#json('GET', `/v1/jobs?${query}`, { signal })
      yield* answer.jobs
      if (answer.next === null) return
      query.set('after', answer.next)
    }
  }

  async *events(id, { signal } = {}) {
    let last
    let lost
    for (let failures = 1; failures <= attempts; failures++) {
      try {
        for await (const job of this.#stream(id, signal)) {
          failures = 0
          if (JSON.stringify(job) !== JSON.stringify(last)) yield (last = job)
          if (hasEnded(job)) return
        }
      } catch (error) {
        signal?.throwIfAborted()
        if (!(error instanceof SpotterError)) throw error
        if (error.code === 'unreachable') {
          lost = error
        } else if (error.status === 429 || error.status === 503) {
          // As many streams as the service has may be open; the job can be asked for all the same.
          failures = 0
          const job = await this.job(id, { signal })
          if (JSON.stringify(job) !== JSON.stringify(last)) yield (last = job)
          if (hasEnded(job)) return
        } else {
          throw error
        }
      }
      await sleep(firstRetrySeconds * 2 ** failures, signal)
    }
    throw lost ?? unreachable(new Error('its answer is empty'))
  }

  cancel(id, { signal } = {}) {
    return this.#json('DELETE', path('v1', 'jobs', id), { signal })
  }

  annotated(id, { confidence, signal } = {}) {
    return this.#call('GET', path('v1', 'jobs', id, 'image') + (confidence === undefined ? '' : `?confidence=${confidence}`), { signal }, blob)
  }

  original(id, { signal } = {}) {
    return this.#call('GET', path('v1', 'jobs', id, 'original'), { signal }, blob)
  }

  output(id, name, { signal } = {}) {
    return this.#call('GET', path('v1', 'jobs', id, 'outputs', name), { signal }, blob)
  }

  async models({ signal } = {}) {
    return (await this.#json('GET', '/v1/models', { signal })).models
  }

  #submit(picture, options, idempotencyKey, waitSeconds, signal) {
    const pictures = (Array.isArray(picture) ? picture : [picture]).map(content => (content instanceof Blob || isUrl(content) ? content : new Blob([content])))
    const sendSeconds = pictures.reduce((bytes, content) => bytes + (content.size ?? 0), 0) / leastBytesPerSecond
    const headers = { 'Idempotency-Key': idempotencyKey ?? newKey() }
    if (waitSeconds >= 1) headers.Prefer = `wait=${Math.floor(waitSeconds)}`
    return this.#json('POST', '/v1/jobs', { headers, body: formOf(pictures, options), signal, silenceSeconds: this.#timeoutSeconds + (waitSeconds ?? 0) + sendSeconds })
  }

  #json(method, path, request) {
    return this.#call(method, path, request, json)
  }

  /** What `read` makes of the answer to a call, which is made again after a lost connection and when the service asks for that. */
  async #call(method, path, { headers, body, signal, silenceSeconds = this.#timeoutSeconds }, read) {
    for (let attempt = 1; ; attempt++) {
      const silence = new Silence(silenceSeconds, signal)
      let wait = firstRetrySeconds * 2 ** (attempt - 1)
      try {
        const response = await this.#open(method, path, { headers, body, signal: silence.signal })
        return await read(await wholeOf(response, silence))
      } catch (error) {
        signal?.throwIfAborted()
        const refusal = error instanceof SpotterError ? error : unreachable(error)
        if (refusal.code !== 'unreachable') wait = refusal.status === 429 || refusal.status === 503 ? (refusal.retryAfterSeconds ?? Infinity) : Infinity
        if (attempt === attempts || wait > longestRetrySeconds) throw refusal
      } finally {
        silence.end()
      }
      await sleep(wait, signal)
    }
  }

  /** The answer, still to be read; throws SpotterError, or what fetch throws when the connection breaks. */
  async #open(method, path, { headers, body, signal }) {
    const shown = this.#key === null ? {} : { Authorization: `Bearer ${this.#key}` }
    // The service redirects nowhere, and what does must get neither pictures nor key.
    const response = await fetch(this.#url + path, { method, headers: { ...headers, ...shown }, body, signal, redirect: 'manual' })
    if (!response.ok) throw refusalOf(response.status, await response.text(), response.headers.get('Retry-After'))
    return response
  }

  /** One event stream until its end, which may come before the job's. */
  async *#stream(id, signal) {
    const silence = new Silence(streamSilenceSeconds, signal)
    try {
      const response = await this.#open('GET', path('v1', 'jobs', id, 'events'), { headers: { Accept: 'text/event-stream' }, signal: silence.signal })
      const decoder = new TextDecoder()
      let rest = ''
      for await (const chunk of chunksOf(response, silence)) {
        const events = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n\r?\n/)
        rest = events.pop()
        for (const event of events) {
          const data = event.split(/\r?\n/).filter(line => line.startsWith('data:')).map(line => line.slice(5).replace(/^ /, ''))
          if (data.length > 0) yield JSON.parse(data.join('\n'))
        }
      }
    } catch (error) {
      throw error instanceof SpotterError ? error : unreachable(error)
    } finally {
      silence.end()
    }
  }
}

export async function verifyWebhook(body, headers, secrets, { toleranceSeconds = 300 } = {}) {
  const keys = (typeof secrets === 'string' ? secrets.split(/\s+/) : [...secrets]).map(webhookKey)
  const entries = typeof headers.entries === 'function' ? [...headers.entries()] : Object.entries(headers)
  const given = new Map(entries.map(([name, value]) => [name.toLowerCase(), String(value)]))
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map(name => given.get(`webhook-${name}`) ?? '')
  if (!/^[0-9]{1,12}$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > toleranceSeconds)
    throw new WebhookInvalid('The webhook has no timestamp, or one that is too far from the clock here.')
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : new Uint8Array(body)
  const signed = new Uint8Array(await new Blob([`${id}.${timestamp}.`, bytes]).arrayBuffer())
  for (const key of keys) {
    const hmac = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
    for (const signature of signatures.split(' ')) {
      const claimed = signature.startsWith('v1,') ? bytesOf(signature.slice(3)) : null
      if (claimed !== null && (await crypto.subtle.verify('HMAC', hmac, claimed, signed))) return JSON.parse(new TextDecoder().decode(bytes))
    }
  }
  throw new WebhookInvalid('The webhook is not signed with the secret.')
}

/** Ends a request when nothing has come for some time, or when its caller cancels it. */
class Silence {
  #controller = new AbortController()
  #seconds
  #caller
  #timer
  #follow = () => this.#controller.abort(this.#caller.reason)

  constructor(seconds, caller) {
    this.#seconds = seconds
    this.#caller = caller
    caller?.throwIfAborted()
    caller?.addEventListener('abort', this.#follow)
    this.broken()
  }

  get signal() {
    return this.#controller.signal
  }

  broken() {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#controller.abort(new Error(`nothing came for ${this.#seconds} seconds`)), 1000 * this.#seconds)
  }

  end() {
    clearTimeout(this.#timer)
    this.#caller?.removeEventListener('abort', this.#follow)
    // What is still open of the request is of no use any more.
    this.#controller.abort()
  }
}

function formOf(pictures, options) {
  if (pictures.length === 0) throw new TypeError('There is no picture to send.')
  const form = new FormData()
  // Before the pictures, so that the service can refuse them before these have been sent.
  for (const [name, value] of Object.entries(options)) if (value !== undefined && value !== null) form.append(name, textOf(value))
  for (const picture of pictures) {
    if (isUrl(picture)) form.append('url', String(picture))
    else form.append('image', picture, picture.name ?? 'picture')
  }
  return form
}

/** True for a picture that the service is to fetch. */
function isUrl(picture) {
  return typeof picture === 'string' || picture instanceof URL
}

/** An option as a field of the form has it. */
function textOf(value) {
  if (Array.isArray(value) && value.every(item => typeof item !== 'object')) return value.join(',')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** A refusal from an answer, which may be anything where a proxy wrote it. */
function refusalOf(status, body, retryAfter) {
  let problem = null
  try {
    problem = JSON.parse(body)
  } catch {
    // Not JSON: the status is all there is to tell.
  }
  const seconds = /^[0-9]{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : null
  return new SpotterError(status, problem?.code ?? 'unknown', problem?.detail ?? `The service answered ${status} and no reason.`, seconds)
}

function unreachable(error) {
  return new SpotterError(0, 'unreachable', `The service does not answer: ${error.cause?.message ?? error.message}.`, null, { cause: error })
}

/** The bytes of an answer as they come; each breaks the silence. */
async function* chunksOf(response, silence) {
  const reader = response.body?.getReader()
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true }
    if (done) return
    silence.broken()
    yield value
  }
}

async function wholeOf(response, silence) {
  const chunks = []
  for await (const chunk of chunksOf(response, silence)) chunks.push(chunk)
  return new Blob(chunks, { type: response.headers.get('Content-Type') ?? '' })
}

async function json(body) {
  try {
    return JSON.parse(await body.text())
  } catch {
    throw new SpotterError(200, 'unknown', 'The answer is no JSON. Is there a Spotter service at this address?')
  }
}

function blob(body) {
  return body
}

function path(...parts) {
  return parts.map(part => '/' + encodeURIComponent(part)).join('')
}

function hasEnded(job) {
  return job.state !== 'queued' && job.state !== 'running'
}

/** 128 random bits; unlike `crypto.randomUUID` this works on pages served over plain HTTP too. */
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('')
}

function webhookKey(secret) {
  const key = secret.startsWith('whsec_') ? bytesOf(secret.slice(6)) : null
  if (key === null || key.length === 0) throw new TypeError('A secret of webhooks is whsec_ and Base64; what was given is not shown here.')
  return key
}

/** What Base64 says; null if it is anything else. */
function bytesOf(base64) {
  try {
    return Uint8Array.from(atob(base64), character => character.charCodeAt(0))
  } catch {
    return null
  }
}

function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end)
      resolve()
    }, 1000 * seconds)
    if (signal?.aborted) end()
    signal?.addEventListener('abort', end, { once: true })
  })
}
