// A worker process of the service that Spotter is measured against: node worker.mjs REDIS_PORT MODEL LABELS. Says `ready`
// when it takes jobs. LABELS is a JSON list.
import { readFile } from "node:fs/promises";
import { Worker } from "bullmq";
import { draw, overlay } from "./boxes.mjs";
import { load } from "./detector.mjs";
import { writeDurably } from "./files.mjs";

const [redis, model, labels] = process.argv.slice(2);
const detect = await load(model, JSON.parse(labels));

const worker = new Worker("pictures", async (job) => {
  const { picture, annotate } = job.data;
  const bytes = await readFile(picture);
  const result = await detect(bytes);
  if (annotate) await writeDurably(`${picture}.annotated.jpg`, await draw(bytes, overlay(result)));
  return { ...result, worker: process.pid };
}, { connection: { host: "127.0.0.1", port: Number(redis), maxRetriesPerRequest: null }, concurrency: 1 });

await worker.waitUntilReady();
console.log("ready");
