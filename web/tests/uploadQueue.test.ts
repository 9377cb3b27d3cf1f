import { describe, expect, it, vi } from 'vitest'
import { UploadQueue } from '../src/jobs/uploadQueue'

function controlled() {
  const started: string[] = []
  const finish = new Map<string, () => void>()
  const signals = new Map<string, AbortSignal>()
  const work = (name: string) => (signal: AbortSignal) => {
    started.push(name)
    signals.set(name, signal)
    return new Promise<void>(resolve => finish.set(name, resolve))
  }
  const end = async (name: string) => {
    finish.get(name)?.()
    // The queue goes on in microtasks; a timer comes after all of them.
    await new Promise(resolve => setTimeout(resolve))
  }
  return { started, signals, work, end }
}

describe('the upload queue', () => {
  it('runs no more at once than it may, and the rest in order', async () => {
    const { started, work, end } = controlled()
    const queue = new UploadQueue(2)
    for (const name of ['a', 'b', 'c', 'd']) queue.add(work(name))
    expect(started).toEqual(['a', 'b'])
    expect(queue).toMatchObject({ running: 2, waiting: 2 })

    await end('b')
    expect(started).toEqual(['a', 'b', 'c'])
    await end('a')
    expect(started).toEqual(['a', 'b', 'c', 'd'])
  })

  it('never starts what was called off while it waited', async () => {
    const { started, work, end } = controlled()
    const queue = new UploadQueue(1)
    queue.add(work('a'))
    queue.add(work('b')).cancel()
    queue.add(work('c'))
    await end('a')
    expect(started).toEqual(['a', 'c'])
  })

  it('tells running work to stop, and keeps its place until it has', async () => {
    const { started, signals, work, end } = controlled()
    const queue = new UploadQueue(1)
    const ticket = queue.add(work('a'))
    queue.add(work('b'))
    ticket.cancel()
    expect(signals.get('a')?.aborted).toBe(true)
    expect(started).toEqual(['a'])
    await end('a')
    expect(started).toEqual(['a', 'b'])
  })

  it('goes on after work that fails', async () => {
    const reported = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { started, work } = controlled()
    const queue = new UploadQueue(1)
    queue.add(() => Promise.reject(new Error('broken')))
    queue.add(work('b'))
    await vi.waitFor(() => expect(started).toEqual(['b']))
    expect(reported).toHaveBeenCalledOnce()
    reported.mockRestore()
  })
})
