import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Job, JobState } from '../src/api/contract'
import { Refusal } from '../src/api/refusal'
import { type JobFeed, JobFollower } from '../src/jobs/follower'

const job = (id: string, state: JobState): Job => ({
  id,
  state,
  engine: 'detect',
  model: 'm',
  created: '2026-01-01T00:00:00Z',
  started: null,
  finished: null,
  attempts: 0,
  by: null,
  modelVersion: null,
  history: [],
  name: null,
  position: null,
  waitsFor: null,
  etaSeconds: null,
  result: null,
  timings: null,
  cachedFrom: null,
  error: null,
})

class FakeFeed implements JobFeed {
  readonly open = new Map<string, { push: (job: Job) => void; snap: () => void }>()
  readonly asked: string[] = []
  readonly answers = new Map<string, Job | Error>()

  stream(id: string, onJob: (job: Job) => void, onBroken: () => void) {
    this.open.set(id, { push: onJob, snap: onBroken })
    return { close: () => this.open.delete(id) }
  }

  get(id: string): Promise<Job> {
    this.asked.push(id)
    const answer = this.answers.get(id) ?? job(id, 'queued')
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
  }
}

function followed(follower: JobFollower, id: string) {
  const states: string[] = []
  follower.follow(id, { onJob: seen => states.push(seen.state), onLost: () => states.push('lost') })
  return states
}

describe('following jobs', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('opens no more streams than it may, and asks for the rest', async () => {
    const feed = new FakeFeed()
    const follower = new JobFollower(feed, 2)
    for (const id of ['a', 'b', 'c']) followed(follower, id)
    expect([...feed.open.keys()]).toEqual(['a', 'b'])
    await vi.advanceTimersByTimeAsync(1_100)
    expect(feed.asked).toEqual(['c'])
  })

  it('hands a stream on when its job has ended', () => {
    const feed = new FakeFeed()
    const follower = new JobFollower(feed, 1)
    const a = followed(follower, 'a')
    followed(follower, 'b')
    feed.open.get('a')?.push(job('a', 'running'))
    feed.open.get('a')?.push(job('a', 'succeeded'))
    expect(a).toEqual(['running', 'succeeded'])
    expect([...feed.open.keys()]).toEqual(['b'])
    expect(follower).toMatchObject({ following: 1, streams: 1 })
  })

  it('asks at once when a stream breaks, until the job has ended', async () => {
    const feed = new FakeFeed()
    const follower = new JobFollower(feed, 1)
    const a = followed(follower, 'a')
    feed.open.get('a')?.snap()
    await vi.advanceTimersByTimeAsync(10)
    expect(a).toEqual(['queued'])

    feed.answers.set('a', job('a', 'failed'))
    await vi.advanceTimersByTimeAsync(1_100)
    expect(a).toEqual(['queued', 'failed'])
    expect(follower.following).toBe(0)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(feed.asked).toHaveLength(2)
  })

  it('notices the end of a job whose stream says nothing', async () => {
    const feed = new FakeFeed()
    const follower = new JobFollower(feed, 1)
    feed.answers.set('a', job('a', 'succeeded'))
    const a = followed(follower, 'a')
    await vi.advanceTimersByTimeAsync(5_100)
    expect(a).toEqual(['succeeded'])
    expect(feed.open.size).toBe(0)
  })

  it('goes on asking while the server does not answer', async () => {
    const feed = new FakeFeed()
    const follower = new JobFollower(feed, 0)
    feed.answers.set('a', new Error('no network'))
    const a = followed(follower, 'a')
    await vi.advanceTimersByTimeAsync(3_100)
    feed.answers.set('a', job('a', 'succeeded'))
    await vi.advanceTimersByTimeAsync(2_100)
    expect(a).toEqual(['succeeded'])
  })

  it('gives up on a job that the server does not know', async () => {
    const feed = new FakeFeed()
    const follower = new JobFollower(feed, 0)
    feed.answers.set('a', new Refusal(404, 'not_found', 'There is no such job.', null))
    const a = followed(follower, 'a')
    await vi.advanceTimersByTimeAsync(1_100)
    expect(a).toEqual(['lost'])
    expect(follower.following).toBe(0)
  })

  it('gives its streams back while nobody looks', () => {
    const feed = new FakeFeed()
    const follower = new JobFollower(feed, 2)
    followed(follower, 'a')
    follower.suspend()
    expect(feed.open.size).toBe(0)
    followed(follower, 'b')
    expect(feed.open.size).toBe(0)
    follower.resume()
    expect([...feed.open.keys()]).toEqual(['a', 'b'])
  })
})
