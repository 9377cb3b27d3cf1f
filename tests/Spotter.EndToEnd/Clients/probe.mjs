// Does one thing with the client in JavaScript, and prints what came of it as JSON: probe.mjs COMMAND URL KEY ARGUMENT…

import { createHash } from 'node:crypto'
import { openAsBlob } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { text } from 'node:stream/consumers'
import { inspect } from 'node:util'
import { JobFailed, Spotter, SpotterError, verifyWebhook, WebhookInvalid } from '../../../clients/js/src/spotter.js'

const commands = {
  detect: async (spotter, picture, ...pairs) => spotter.detect(await open(picture), options(pairs)),
  submit: async (spotter, pictures, ...pairs) => spotter.submit(await Promise.all(pictures.split(',').map(open)), options(pairs)),
  bytes: async (spotter, picture) => spotter.submit(await readFile(picture), { reuse: false }),
  wait: (spotter, id) => spotter.wait(id),
  events: (spotter, id) => all(spotter.events(id)),
  jobs: async (spotter, page) => (await all(spotter.jobs({ page: Number(page) }))).map(job => job.id),
  cancel: (spotter, id) => spotter.cancel(id),
  hashes: async (spotter, id, ...outputs) => {
    const files = [spotter.original(id), spotter.annotated(id), ...outputs.map(name => spotter.output(id, name))]
    return Promise.all(files.map(async file => createHash('sha256').update(Buffer.from(await (await file).arrayBuffer())).digest('hex')))
  },
  models: spotter => spotter.models(),
}

console.log(JSON.stringify(await main(...process.argv.slice(2))))

async function main(command, url, key, ...args) {
  if (command === 'webhook') {
    const { body, headers } = JSON.parse(await text(process.stdin))
    return verifyWebhook(body, headers, args).then(
      event => event.type,
      error => (error instanceof WebhookInvalid ? 'invalid' : Promise.reject(error)),
    )
  }
  const spotter = new Spotter(url, { key: key || null })
  try {
    return await commands[command](spotter, ...args)
  } catch (error) {
    if (!(error instanceof SpotterError)) throw error
    const job = error instanceof JobFailed ? error.job.id : null
    const { status, code, detail, retryAfterSeconds: retryAfter } = error
    return { error: { status, code, detail, retryAfter, job }, shown: `${inspect(spotter, { showHidden: true })} ${JSON.stringify(spotter)} ${inspect(error)}` }
  }
}

async function open(picture) {
  if (URL.canParse(picture)) return new URL(picture)
  return new File([await openAsBlob(picture)], basename(picture))
}

function options(pairs) {
  return Object.fromEntries(pairs.map(pair => pair.split(/=(.*)/s)).map(([name, value]) => [name, JSON.parse(value)]))
}

async function all(items) {
  const found = []
  for await (const item of items) found.push(item)
  return found
}
