import { mergeParts, normalized } from "../../../src/embedding/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { join } from "../../../src/flow/index.ts";
import { type BatchLimits, planBatches } from "./batches.ts";
import type { TextRow } from "./rows.ts";
import type { Runtime } from "./runtime/index.ts";

/** The rows of one call of the embedder. */
export interface RowCall {
  readonly rows: readonly TextRow[];
  readonly texts: number;
  /** The length of every vector. */
  readonly native: number;
}

/**
 * Runs the rows of a call in batches and gives one vector of length 1 for each text, in order; the
 * runtime takes as many at once as keep it busy. When a batch fails, those that wait are not run, and nothing goes on
 * behind the rejection.
 */
export async function embedRows(
  { rows, texts, native }: RowCall,
  runtime: Pick<Runtime, "run">,
  limits: BatchLimits,
  signal: AbortSignal,
): Promise<readonly Float32Array[]> {
  const vectors: Float32Array[] = [];
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const lengths = rows.map(({ ids }) => ids.length);
  let cause: unknown;
  const runs = planBatches(lengths, limits).map(async (batch) => {
    try {
      const ids = batch.flatMap((place) => rows[place]?.ids ?? []);
      const found = await runtime.run(ids, either);
      if (found.length !== batch.length)
        throw wrong(`${found.length} vectors for ${batch.length} texts`);
      for (const [index, place] of batch.entries()) vectors[place] = sound(found[index], native);
    } catch (error) {
      cause ??= error;
      failed.abort(error);
      throw error;
    }
  });
  await join(runs).catch((error: unknown) => {
    signal.throwIfAborted();
    throw cause ?? error;
  });
  return merged(rows, vectors, texts);
}

function sound(vector: Float32Array | undefined, native: number): Float32Array {
  if (vector?.length !== native) {
    throw wrong(`a vector of ${vector?.length ?? 0} numbers instead of ${native}`);
  }
  if (!vector.every((number) => Number.isFinite(number))) {
    throw wrong("a vector with a value that is not a finite number");
  }
  return normalized(vector);
}

function merged(
  rows: readonly TextRow[],
  vectors: readonly Float32Array[],
  texts: number,
): readonly Float32Array[] {
  const parts: { vector: Float32Array; tokens: number }[][] = Array.from(
    { length: texts },
    () => [],
  );
  for (const [place, { text, ids }] of rows.entries()) {
    const vector = vectors[place];
    if (vector !== undefined) parts[text]?.push({ vector, tokens: ids.length });
  }
  return parts.map((list) => {
    const [first] = list;
    return first !== undefined && list.length === 1 ? first.vector : mergeParts(list);
  });
}

function wrong(what: string): Fault {
  return new Fault(
    "embed.invalid",
    `The model gave ${what}. Nothing of it is used. Try another device, or fetch the model again.`,
  );
}
