// Says what is in a picture: node detect.mjs http://127.0.0.1:8080 photo.jpg

import { openAsBlob } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { JobFailed, Spotter, SpotterError } from 'spotter-client'

const [url, picture] = process.argv.slice(2)
const spotter = new Spotter(url, { key: process.env.SPOTTER__KEY })
try {
  const job = await spotter.detect(new File([await openAsBlob(picture)], basename(picture)), { confidence: 0.4 })
  for (const { label, confidence, box } of job.result.detections ?? []) console.log(label, confidence.toFixed(2), 'at', box.x1, box.y1)
  await writeFile('boxes.jpg', (await spotter.annotated(job.id)).stream())
} catch (error) {
  if (!(error instanceof SpotterError)) throw error
  console.error(error instanceof JobFailed ? `${picture}: ${error.detail} (job ${error.job.id})` : `${picture}: ${error.detail}`)
  process.exitCode = 1
}
