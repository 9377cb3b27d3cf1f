import { eventsUrl, getJob } from '../api/client'
import type { Job } from '../api/contract'
import { EventReader } from '../api/events'
import { keyHeaders } from '../api/key'
import type { JobFeed } from './follower'

/** The gateway's event streams and job resource. */
export const gatewayFeed: JobFeed = {
  get: getJob,
  stream(id, onJob, onBroken) {
    const stop = new AbortController()
    const end = () => {
      if (!stop.signal.aborted) onBroken()
    }
    read(id, onJob, stop.signal).then(end, end)
    return { close: () => stop.abort() }
  },
}

/** Reads a stream to its end. An EventSource could not show a key. */
async function read(id: string, onJob: (job: Job) => void, signal: AbortSignal): Promise<void> {
  const answer = await fetch(eventsUrl(id), { headers: keyHeaders(), cache: 'no-store', signal })
  if (!answer.ok || answer.body === null) return
  const events = new EventReader(data => onJob(JSON.parse(data) as Job))
  const pieces = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  while (true) {
    const { done, value } = await pieces.read()
    if (done || signal.aborted) return
    events.take(value)
  }
}
