// Measures another queue with jobs that do nothing: node queues.mjs bullmq|pg-boss PORT SECONDS BACKLOG. Prints one JSON
// object: jobs per second added one by one with 50 calls in flight, added in batches of 500, and taken and finished with 50
// in flight, in rounds of 5,000 jobs (what waits is small) and from a queue in which BACKLOG jobs wait.
import { readFileSync } from "node:fs";

const [kind, port, seconds, backlog] = process.argv.slice(2);
const inFlight = 50;
const batch = 500;
const round = 5000;
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

// Fills a queue and has it emptied, again and again until the emptying has taken long enough; the rate of that alone, without
// the first time, when it is still being compiled.
async function rounds(fill, empty) {
  await fill(round);
  await empty();
  let took = 0;
  let jobs = 0;
  for (; took < Number(seconds) * 1000; jobs += round) {
    await fill(round);
    took += await empty();
  }
  return Math.round((jobs / took) * 1000);
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

  await queue.obliterate({ force: true });

  const fill = async (jobs) => {
    for (let made = 0; made < jobs; made += batch) await queue.addBulk(Array.from({ length: batch }, () => ({ name: "noop", data })));
  };
  let done = 0;
  const workUntil = async (isOver) => {
    const worker = new Worker("noop", async () => { done += 1; }, { connection, concurrency: inFlight, autorun: false });
    await worker.waitUntilReady();
    const begun = performance.now();
    const running = worker.run();
    while (!await isOver(performance.now() - begun)) await new Promise((resolve) => setTimeout(resolve, 5));
    const took = performance.now() - begun;
    await worker.close();
    await running;
    return took;
  };
  const smallBacklog = await rounds(fill, async () => {
    const end = done + round;
    return workUntil(() => done >= end);
  });
  await fill(Number(backlog));
  const before = done;
  const largeBacklog = await workUntil((passed) => passed >= Number(seconds) * 1000).then((took) => Math.round(((done - before) / took) * 1000));
  check(done, await queue.getCompletedCount());
  await queue.close();
  return { name: `BullMQ ${version("bullmq")} on Redis`, durable: "fsync every second", oneByOne, batches, smallBacklog, largeBacklog };
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
  // It sorts all that waits for every fetch, so what waits here is in queues of their own, and it has statistics to plan with.
  let finished = 0;
  const fill = async (name, jobs) => {
    for (let made = 0; made < jobs; made += batch) await boss.insert(Array.from({ length: batch }, () => ({ name, data })));
    await boss.getDb().executeSql("ANALYZE", []);
  };
  // Two loops with batches of 25: its workers ask no faster than twice a second, its own calls as fast as they can.
  const step = (name) => async () => {
    const jobs = await boss.fetch(name, { batchSize: inFlight / 2 });
    if (jobs.length > 0) await boss.complete(name, jobs.map((job) => job.id));
    finished += jobs.length;
    return jobs.length;
  };
  await boss.createQueue("small");
  const smallBacklog = await rounds((jobs) => fill("small", jobs), async () => {
    const [begun, end] = [performance.now(), finished + round];
    await Promise.all(Array.from({ length: 2 }, async () => { while (finished < end && await step("small")() > 0); }));
    return performance.now() - begun;
  });
  await boss.createQueue("large");
  await fill("large", Number(backlog));
  const largeBacklog = await rate(2, step("large"));
  const { rows: [{ count }] } = await boss.getDb().executeSql("SELECT count(*)::int FROM pgboss.job WHERE name IN ('small', 'large') AND state = 'completed'", []);
  check(finished, count);
  await boss.stop({ graceful: false, close: true });
  return { name: `pg-boss ${version("pg-boss")} on PostgreSQL`, durable: "fsync before the answer", oneByOne, batches, smallBacklog, largeBacklog };
}

console.log(JSON.stringify(await (kind === "bullmq" ? bullmq() : pgBoss())));
process.exit(0);
