import { eventsUrl, getJob } from '../api/client'
import type { Job } from '../api/contract'
import type { JobFeed } from './follower'

/** The gateway's event streams and job resource. */
export const gatewayFeed: JobFeed = {
  get: getJob,
  stream(id, onJob, onBroken) {
    const source = new EventSource(eventsUrl(id))
    source.addEventListener('job', event => onJob(JSON.parse((event as MessageEvent<string>).data) as Job))
    source.onerror = () => {
      // The browser would reconnect for ever, also to a stream that has ended; polling is calmer.
      source.close()
      onBroken()
    }
    return source
  },
}
