// The service that Spotter is measured against: fastify takes pictures, BullMQ on Redis brings them to worker processes
// (worker.mjs). node service.mjs REDIS_PORT FOLDER. Says `listening on http://…`.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Job, Queue, QueueEvents } from "bullmq";
import fastify from "fastify";
import { writeDurably } from "./files.mjs";

const [redis, folder] = process.argv.slice(2);
const connection = { host: "127.0.0.1", port: Number(redis), maxRetriesPerRequest: null };
const longest = 60_000;

const queue = new Queue("pictures", { connection });
const events = new QueueEvents("pictures", { connection });
events.setMaxListeners(0);
await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);

const app = fastify({ bodyLimit: 64 * 1024 * 1024 });
app.addContentTypeParser("image/jpeg", { parseAs: "buffer" }, (request, body, done) => done(null, body));

app.post("/jobs", async (request, reply) => {
  const id = randomUUID();
  const picture = join(folder, id);
  await writeDurably(picture, request.body);
  const job = await queue.add("detect", { picture, annotate: request.query.annotate === "true" }, { jobId: id });
  if (request.headers.prefer === undefined) return reply.code(202).send({ id, state: "queued" });
  return { id, state: "succeeded", result: await job.waitUntilFinished(events, longest) };
});

app.get("/jobs/:id", async (request, reply) => {
  const job = await Job.fromId(queue, request.params.id);
  return job ? { id: job.id, state: await job.getState(), result: job.returnvalue } : reply.code(404).send({});
});

app.get("/stats", async () => {
  const { waiting, active, completed, failed } = await queue.getJobCounts("waiting", "active", "completed", "failed");
  return { queued: waiting, running: active, succeeded: completed, failed };
});

console.log(`listening on ${await app.listen({ host: "127.0.0.1", port: 0 })}`);
