import { type Job, hasEnded } from '../api/contract'
import { Refusal } from '../api/refusal'

/** What a follower needs from the world. */
export interface JobFeed {
  /** Opens a live stream of one job; `onBroken` is called at most once, after which the stream is of no use. */
  stream(id: string, onJob: (job: Job) => void, onBroken: () => void): { close(): void }
  get(id: string): Promise<Job>
}

export interface JobWatcher {
  onJob(job: Job): void
  /** The server knows no such job any more. */
  onLost(reason: Refusal): void
}

interface Followed {
  readonly id: string
  readonly watcher: JobWatcher
  stream: { close(): void } | null
  streamBroke: boolean
  dueMs: number
}

const pollMs = 1_000
// A proxy that holds back event streams looks like silence, so streams are checked as well.
const checkStreamMs = 5_000
const retryMs = 2_000

/**
 * Follows many jobs to their ends. A few have a live stream, since a browser opens only six connections to a server
 * over HTTP/1.1, shared by all tabs; the others are asked for one after another.
 */
export class JobFollower {
  readonly #feed: JobFeed
  readonly #maxStreams: number
  readonly #followed = new Map<string, Followed>()
  #streams = 0
  #suspended = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #asking = false

  constructor(feed: JobFeed, maxStreams: number) {
    this.#feed = feed
    this.#maxStreams = maxStreams
  }

  get following(): number {
    return this.#followed.size
  }

  get streams(): number {
    return this.#streams
  }

  follow(id: string, watcher: JobWatcher): void {
    if (this.#followed.has(id)) return
    this.#followed.set(id, { id, watcher, stream: null, streamBroke: false, dueMs: Date.now() + pollMs })
    this.#openStreams()
    this.#schedule()
  }

  unfollow(id: string): void {
    const followed = this.#followed.get(id)
    if (followed === undefined) return
    this.#followed.delete(id)
    this.#closeStream(followed)
    this.#openStreams()
    this.#schedule()
  }

  /** Gives the streams back while nobody looks, so that a hidden tab takes no connection from a visible one. */
  suspend(): void {
    this.#suspended = true
    for (const followed of this.#followed.values()) this.#closeStream(followed)
  }

  resume(): void {
    this.#suspended = false
    for (const followed of this.#followed.values()) followed.dueMs = 0
    this.#openStreams()
    this.#schedule()
  }

  #openStreams(): void {
    if (this.#suspended) return
    for (const followed of this.#followed.values()) {
      if (this.#streams >= this.#maxStreams) return
      if (followed.stream !== null || followed.streamBroke) continue
      this.#streams++
      followed.dueMs = Date.now() + checkStreamMs
      followed.stream = this.#feed.stream(
        followed.id,
        job => this.#tell(followed, job),
        () => {
          followed.streamBroke = true
          followed.dueMs = 0
          this.#closeStream(followed)
          this.#openStreams()
          this.#schedule()
        },
      )
    }
  }

  #closeStream(followed: Followed): void {
    if (followed.stream === null) return
    followed.stream.close()
    followed.stream = null
    this.#streams--
  }

  #tell(followed: Followed, job: Job): void {
    // An answer may arrive after another path has told the end already.
    if (this.#followed.get(followed.id) !== followed) return
    followed.dueMs = Date.now() + (followed.stream === null ? pollMs : checkStreamMs)
    if (hasEnded(job)) this.unfollow(followed.id)
    followed.watcher.onJob(job)
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    if (this.#asking) return
    const next = this.#nextDue()
    if (next === undefined) return
    this.#timer = setTimeout(() => void this.#ask(next), Math.max(0, next.dueMs - Date.now()))
  }

  #nextDue(): Followed | undefined {
    let next: Followed | undefined
    for (const followed of this.#followed.values()) {
      if (next === undefined || followed.dueMs < next.dueMs) next = followed
    }
    return next
  }

  async #ask(followed: Followed): Promise<void> {
    this.#asking = true
    try {
      this.#tell(followed, await this.#feed.get(followed.id))
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) {
        this.unfollow(followed.id)
        followed.watcher.onLost(error)
      } else {
        followed.dueMs = Date.now() + retryMs
      }
    } finally {
      this.#asking = false
      this.#schedule()
    }
  }
}
