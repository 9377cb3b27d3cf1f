// Finds things with a model of the YOLOv5 layout: decode, letterbox, model, boxes. One thread, as one of our workers.
import ort from "onnxruntime-node";
import sharp from "sharp";

const confidence = 0.25;
const overlap = 0.45;

sharp.concurrency(1);
sharp.cache(false);

export async function load(file, labels) {
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
    extra: { session: { intra_op: { allow_spinning: "0" }, inter_op: { allow_spinning: "0" } } },
  });
  const [, , height, width] = session.inputMetadata[0].shape;
  const input = new Float32Array(3 * width * height);
  return async (bytes) => {
    const size = await letterbox(bytes, width, height, input);
    const outputs = await session.run({ [session.inputNames[0]]: new ort.Tensor("float32", input, [1, 3, height, width]) });
    return { width: size.width, height: size.height, detections: boxes(outputs[session.outputNames[0]], size, labels) };
  };
}

async function letterbox(bytes, width, height, input) {
  const { width: w, height: h, orientation = 1 } = await sharp(bytes).metadata();
  const [pictureWidth, pictureHeight] = orientation > 4 ? [h, w] : [w, h];
  const pixels = await sharp(bytes).rotate().resize(width, height, { fit: "contain", background: "#727272" })
    .removeAlpha().toColourspace("srgb").raw().toBuffer();
  const plane = width * height;
  for (let i = 0, at = 0; i < plane; i += 1, at += 3) {
    input[i] = pixels[at] / 255;
    input[i + plane] = pixels[at + 1] / 255;
    input[i + 2 * plane] = pixels[at + 2] / 255;
  }
  const scale = Math.min(width / pictureWidth, height / pictureHeight);
  return {
    width: pictureWidth,
    height: pictureHeight,
    scale,
    left: Math.floor((width - Math.round(pictureWidth * scale)) / 2),
    top: Math.floor((height - Math.round(pictureHeight * scale)) / 2),
  };
}

// Rows of centre, size, objectness and scores, in pixels of the input.
function boxes({ data, dims: [, rows, columns] }, { width, height, scale, left, top }, labels) {
  const found = [];
  for (let row = 0; row < rows; row += 1) {
    const at = row * columns;
    const objectness = data[at + 4];
    if (objectness < confidence) continue;
    let best = 5;
    for (let i = 6; i < columns; i += 1) if (data[at + i] > data[at + best]) best = i;
    const score = objectness * data[at + best];
    if (score < confidence) continue;
    const [x, y, w, h] = [(data[at] - left) / scale, (data[at + 1] - top) / scale, data[at + 2] / scale, data[at + 3] / scale];
    const clamp = (value, most) => Math.min(Math.max(value, 0), most);
    found.push({
      label: labels[best - 5] ?? String(best - 5),
      classId: best - 5,
      confidence: score,
      box: { x1: clamp(x - w / 2, width), y1: clamp(y - h / 2, height), x2: clamp(x + w / 2, width), y2: clamp(y + h / 2, height) },
    });
  }
  found.sort((a, b) => b.confidence - a.confidence);
  const kept = [];
  for (const one of found) if (!kept.some((other) => other.classId === one.classId && share(other.box, one.box) > overlap)) kept.push(one);
  return kept;
}

function share(a, b) {
  const area = (box) => (box.x2 - box.x1) * (box.y2 - box.y1);
  const both = Math.max(0, Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1)) * Math.max(0, Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1));
  return both === 0 ? 0 : both / (area(a) + area(b) - both);
}
