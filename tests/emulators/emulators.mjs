// One server that speaks as Amazon's SQS and S3 (fauxqs) and DynamoDB (dynalite) do. It keeps everything in memory, and ends with its input.
import { createServer } from "node:http";
import { isBuiltin, register } from "node:module";
import dynalite from "dynalite";

const module = (text) => `data:text/javascript,${encodeURIComponent(text)}`;

// fauxqs loads this module, which Node.js has since 22.5, to keep things in a file when it is told to.
if (!isBuiltin("node:sqlite")) {
  const nothing = JSON.stringify({ url: module("export class DatabaseSync {}"), shortCircuit: true });
  register(module(`export const resolve = (name, context, next) => name === "node:sqlite" ? ${nothing} : next(name, context);`));
}
const { buildApp } = await import("fauxqs");

const queuesAndBuckets = buildApp({ logger: false });
await queuesAndBuckets.ready();
const tables = dynalite({ createTableMs: 0 });
const server = createServer((request, response) => {
  const isOfTables = request.headers["x-amz-target"]?.startsWith("DynamoDB_");
  (isOfTables ? tables : queuesAndBuckets.server).emit("request", request, response);
});
server.listen(0, "127.0.0.1", () => console.log(`Running on http://127.0.0.1:${server.address().port}`));
process.stdin.on("end", () => process.exit()).resume();
