import type { FaultLike } from "../contracts/index.ts";
import { isFault } from "../faults/index.ts";
import { join, raceAbort } from "../flow/index.ts";
import { hasDirection, isStoredVector, zeroVector } from "./check-vectors.ts";
import type { EmbedItem } from "./embedding.ts";
import type { PendingChunk } from "./prepare.ts";
import type { Run } from "./run-parts.ts";
import type { Target } from "./targets.ts";

/** Where vectors of a document's unchanged chunks may be read back from before the model is asked. */
export interface ReadBack {
  /** Targets that hold some of the document, with the record ids they may have. */
  readonly places: readonly { readonly target: Target; readonly ids: ReadonlySet<string> }[];
  /** The longest vector that is needed. */
  readonly dimension: number;
}

/**
 * Finds a vector of at least the needed length for every chunk: in the cache, in a sink of equal or larger dimension,
 * or by the model. Rejects with the first fault when any chunk has none.
 */
export async function embedWindow(
  run: Run,
  window: readonly PendingChunk[],
  readBack: ReadBack,
): Promise<Float32Array[]> {
  const { embedding, context } = run;
  const keys = window.map((chunk) => embedding.key(chunk.embedded));
  const found = await embedding.cached(keys);
  if (found.size < new Set(keys).size) await readMissing(run, window, keys, found, readBack);
  const missing: EmbedItem[] = [];
  let cached = 0;
  for (const [index, chunk] of window.entries()) {
    const key = keys[index] ?? "";
    if (found.has(key)) cached += 1;
    else missing.push({ key, text: chunk.embedded, tokens: chunk.tokens });
  }
  if (cached > 0) context.emit({ kind: "chunks-cached", count: cached });
  if (missing.length > 0) await embedMissing(run, missing, found);
  const smallest = Math.min(readBack.dimension, ...run.targets.map((target) => target.dimension));
  return keys.map((key) => {
    const vector = found.get(key);
    if (vector === undefined) throw new RangeError("A chunk was not embedded.");
    if (!hasDirection(vector, smallest)) throw zeroVector(run.space.model, smallest);
    // A copy, so that the native vector can be freed; slicing comes before normalising, which the writer does.
    return vector.length > readBack.dimension ? vector.slice(0, readBack.dimension) : vector;
  });
}

async function embedMissing(
  run: Run,
  missing: readonly EmbedItem[],
  found: Map<string, Float32Array>,
): Promise<void> {
  const { embedding, context } = run;
  const tokens = missing.reduce((sum, item) => sum + item.tokens, 0);
  const leave = await context.tokens.enter(tokens, context.signal);
  try {
    const outcomes = await join(missing.map((item) => embedding.embed(item)));
    let fault: FaultLike | undefined;
    for (const [index, outcome] of outcomes.entries()) {
      if ("fault" in outcome) fault ??= outcome.fault;
      else found.set(missing[index]?.key ?? "", outcome.value);
    }
    if (fault !== undefined) throw fault;
  } finally {
    leave();
  }
}

/** Reads vectors of records that exist already; whatever goes wrong here, the model can still be asked. */
async function readMissing(
  run: Run,
  window: readonly PendingChunk[],
  keys: readonly string[],
  found: Map<string, Float32Array>,
  readBack: ReadBack,
): Promise<void> {
  const { context } = run;
  for (const { target, ids } of readBack.places) {
    if (target.dimension < readBack.dimension || target.fault !== undefined) continue;
    const keyOf = new Map<string, string>();
    for (const [index, chunk] of window.entries()) {
      const key = keys[index] ?? "";
      if (!found.has(key) && ids.has(chunk.ready.id)) keyOf.set(chunk.ready.id, key);
    }
    if (keyOf.size === 0) continue;
    try {
      const options = { vectors: true };
      const reading = target.collection.read([...keyOf.keys()], options, context.signal);
      const records = await raceAbort(reading, context.signal);
      for (const { id, vector } of records) {
        const key = keyOf.get(id);
        if (key === undefined || vector === undefined) continue;
        // A damaged vector must not come back normalised.
        if (isStoredVector(vector, target.dimension)) found.set(key, vector);
      }
    } catch (error) {
      if (!isFault(error) || context.signal.aborted) throw error;
    }
  }
}
