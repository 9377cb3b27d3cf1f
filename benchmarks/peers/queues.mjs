// Measures another queue with jobs that do nothing: node queues.mjs bullmq|pg-boss PORT SECONDS. Prints one JSON object:
// jobs per second added one by one with 50 calls in flight, added in batches of 500, and taken and finished with 50 in
// flight.
import { readFileSync } from "node:fs";

const [kind, port, seconds] = process.argv.slice(2);
const inFlight = 50;
const batch = 500;
const version = (name) => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;

// Calls `step` from some loops at once until the time is over; the rate of what it says to have done.
async function rate(loops, step) {
  const begun = performance.now();
  const end = begun + Number(seconds) * 1000;
  let done = 0;
  await Promise.all(Array.from({ length: loops }, async () => {
    while (performance.now() < end) {
      const some = await step();
      if (some === 0) break;
      done += some;
    }
  }));
  return Math.round((done / (performance.now() - begun)) * 1000);
}

// What was counted has to have happened.
function check(counted, completed) {
  if (counted !== completed) throw new Error(`${counted} jobs were finished, but ${completed} are.`);
}

async function bullmq() {
  const { Queue, Worker } = await import("bullmq");
  const connection = { host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null };
  const queue = new Queue("noop", { connection });
  await queue.waitUntilReady();
  const data = { picture: "0".repeat(64) };
  const oneByOne = await rate(inFlight, async () => (await queue.add("noop", data), 1));
  const batches = await rate(1, async () => (await queue.addBulk(Array.from({ length: batch }, () => ({ name: "noop", data })))).length);

  let done = 0;
  const worker = new Worker("noop", async () => { done += 1; }, { connection, concurrency: inFlight, autorun: false });
  await worker.waitUntilReady();
  const begun = performance.now();
  const running = worker.run();
  const end = begun + Number(seconds) * 1000;
  while (performance.now() < end && (await queue.getWaitingCount()) > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  const processed = Math.round((done / (performance.now() - begun)) * 1000);
  await worker.close();
  await running;
  check(done, await queue.getCompletedCount());
  await queue.close();
  return { name: `BullMQ ${version("bullmq")} on Redis`, durable: "fsync every second", oneByOne, batches, processed };
}

async function pgBoss() {
  const { default: PgBoss } = await import("pg-boss");
  const boss = new PgBoss({ connectionString: `postgres://spotter@127.0.0.1:${port}/postgres`, max: inFlight, supervise: false, schedule: false });
  boss.on("error", (error) => console.error(error.message));
  await boss.start();
  await boss.createQueue("noop");
  const data = { picture: "0".repeat(64) };
  const oneByOne = await rate(inFlight, async () => (await boss.send("noop", data), 1));
  const batches = await rate(1, async () => (await boss.insert(Array.from({ length: batch }, () => ({ name: "noop", data }))), batch));
  // It sorts all that waits for every fetch, so it is given a small backlog of its own, and statistics to plan with.
  const work = "work";
  await boss.createQueue(work);
  await boss.insert(Array.from({ length: 5000 }, () => ({ name: work, data })));
  await boss.getDb().executeSql("ANALYZE", []);
  // Two loops with batches of 25: its workers ask no faster than twice a second, its own calls as fast as they can.
  let finished = 0;
  const processed = await rate(2, async () => {
    const jobs = await boss.fetch(work, { batchSize: inFlight / 2 });
    if (jobs.length > 0) await boss.complete(work, jobs.map((job) => job.id));
    finished += jobs.length;
    return jobs.length;
  });
  const { rows: [{ count }] } = await boss.getDb().executeSql("SELECT count(*)::int FROM pgboss.job WHERE name = $1 AND state = 'completed'", [work]);
  check(finished, count);
  await boss.stop({ graceful: false, close: true });
  return { name: `pg-boss ${version("pg-boss")} on PostgreSQL`, durable: "fsync before the answer", oneByOne, batches, processed };
}

console.log(JSON.stringify(await (kind === "bullmq" ? bullmq() : pgBoss())));
process.exit(0);
