// Draws the boxes of a result on a picture and encodes it, as a Node service would do it with sharp: an SVG laid over
// the decoded picture.
import sharp from "sharp";

const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

export function overlay({ width, height, detections }) {
  const shapes = detections.map(({ label, confidence, box: { x1, y1, x2, y2 } }) =>
    `<rect x="${x1}" y="${y1}" width="${x2 - x1}" height="${y2 - y1}" fill="none" stroke="#00c853" stroke-width="3"/>` +
    `<rect x="${x1}" y="${Math.max(0, y1 - 24)}" width="${label.length * 10 + 60}" height="24" fill="#00c853"/>` +
    `<text x="${x1 + 4}" y="${Math.max(18, y1 - 6)}" font-size="18" font-family="sans-serif">${escape(label)} ${Math.round(confidence * 100)}%</text>`);
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes.join("")}</svg>`);
}

export const draw = (bytes, drawing) => sharp(bytes).rotate().composite([{ input: drawing }]).jpeg({ quality: 85 }).toBuffer();
