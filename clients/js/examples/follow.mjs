// Sends pictures and says how their jobs go on: node follow.mjs http://127.0.0.1:8080 a.jpg b.jpg

import { openAsBlob } from 'node:fs'
import { basename } from 'node:path'
import { Spotter } from 'spotter-client'

const [url, ...pictures] = process.argv.slice(2)
const spotter = new Spotter(url, { key: process.env.SPOTTER__KEY })
const files = await Promise.all(pictures.map(async picture => new File([await openAsBlob(picture)], basename(picture))))
for (const { id } of await spotter.submit(files, { priority: 'low' })) {
  let now
  for await (now of spotter.events(id)) console.log(now.name, now.state, now.position === null ? '' : `${now.position} ahead`)
  console.log(now.name, now.error?.code ?? now.result.summary)
}
