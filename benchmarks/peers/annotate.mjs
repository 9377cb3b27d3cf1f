// Prints the median in milliseconds of decoding, drawing and encoding. usage: node annotate.mjs PICTURE RESULT.json SECONDS
import { readFileSync } from "node:fs";
import sharp from "sharp";
import { draw, overlay } from "./boxes.mjs";

const [picture, result, seconds] = process.argv.slice(2);
const bytes = readFileSync(picture);
const drawing = overlay(JSON.parse(readFileSync(result, "utf8")));

sharp.concurrency(1);
sharp.cache(false);
const times = [];
const end = performance.now() + Number(seconds) * 1000;
while (times.length < 5 || performance.now() < end) {
  const start = performance.now();
  await draw(bytes, drawing);
  times.push(performance.now() - start);
}
times.splice(0, 3);
times.sort((a, b) => a - b);
console.log(times[times.length >> 1].toFixed(3));
