import type { ModelFolder } from "./model/model-folder.ts";
import { rowOf } from "./rows.ts";

/** From a word to more than 40 tokens in any vocabulary: fused attention errs from 32 on, padding between lengths. */
const texts = [
  "Water",
  "A sluice is a gate that controls the flow of water in a channel.",
  "A pipeline reads documents, cuts them into chunks, gives each chunk a vector, and keeps them in a store where a " +
    "question finds them again; what has changed is done anew, what has vanished is removed, and what fails is told. " +
    "水門は水の流れを調節する。 Ein Satz auf Deutsch über Äpfel und Öl. 1234567890",
];

/** Rows that a device must compute like the CPU before it is trusted. */
export async function selfTestRows(
  folder: ModelFolder,
  signal: AbortSignal,
): Promise<readonly Int32Array[]> {
  const ids = await folder.encoder.encode(texts, signal);
  const room = folder.contextTokens - folder.before.length - folder.after.length;
  return ids.map((row) => rowOf(folder, row.subarray(0, Math.max(1, room))));
}
