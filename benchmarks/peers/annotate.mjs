// Draws the boxes of a result on a picture and encodes it, as a Node service would do it with sharp: an SVG laid over
// the decoded picture. Prints the median in milliseconds. usage: node annotate.mjs PICTURE RESULT.json SECONDS
import { readFileSync } from "node:fs";
import sharp from "sharp";

const [picture, result, seconds] = process.argv.slice(2);
const bytes = readFileSync(picture);
const { width, height, detections } = JSON.parse(readFileSync(result, "utf8"));
const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const shapes = detections.map(({ label, confidence, box: { x1, y1, x2, y2 } }) =>
  `<rect x="${x1}" y="${y1}" width="${x2 - x1}" height="${y2 - y1}" fill="none" stroke="#00c853" stroke-width="3"/>` +
  `<rect x="${x1}" y="${Math.max(0, y1 - 24)}" width="${label.length * 10 + 60}" height="24" fill="#00c853"/>` +
  `<text x="${x1 + 4}" y="${Math.max(18, y1 - 6)}" font-size="18" font-family="sans-serif">${escape(label)} ${Math.round(confidence * 100)}%</text>`);
const overlay = Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes.join("")}</svg>`);

sharp.concurrency(1);
sharp.cache(false);
const times = [];
const end = performance.now() + Number(seconds) * 1000;
while (times.length < 5 || performance.now() < end) {
  const start = performance.now();
  await sharp(bytes).rotate().composite([{ input: overlay }]).jpeg({ quality: 85 }).toBuffer();
  times.push(performance.now() - start);
}
times.splice(0, 3);
times.sort((a, b) => a - b);
console.log(times[times.length >> 1].toFixed(3));
