// Receives webhooks: SPOTTER_SECRET=whsec_… node webhook.mjs 9000

import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { verifyWebhook, WebhookInvalid } from 'spotter-client'

const server = createServer(async (request, response) => {
  try {
    const event = await verifyWebhook(await buffer(request), request.headers, process.env.SPOTTER_SECRET)
    console.log(event.type, event.data.id)
    response.writeHead(204).end()
  } catch (error) {
    response.writeHead(error instanceof WebhookInvalid ? 401 : 500).end()
  }
})
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log(`Running on http://127.0.0.1:${server.address().port}`))
