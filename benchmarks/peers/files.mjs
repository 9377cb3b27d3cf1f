// A file whose bytes would survive a power cut once this returns.
import { open } from "node:fs/promises";

export async function writeDurably(path, bytes) {
  const file = await open(path, "wx");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
