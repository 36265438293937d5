import type { Embedder, EmbeddingModel } from "../contracts/index.ts";
import { cosineOf } from "../embedding/index.ts";
import { Fault } from "../faults/index.ts";
import { checkVectors } from "./check-vectors.ts";
import { digest } from "./identity.ts";
import type { Pipeline } from "./pipeline.ts";

/** Texts that are embedded at the start of every run, to notice a model that changed under its name. */
export const probeTexts = [
  "A sluice is a gate that controls the flow of water in a channel.",
  "How are deletions guarded when a listing fails?",
  "水門は水の流れを調節する。 1234567890",
] as const;

/** Vectors of one text by the same model, on other machines or in other batches, are at least this near. */
const probeCosine = 0.999;

/** An embedding space: vectors of one space may be compared with one another. */
export interface Space {
  /** Names model, revision and document prompt. The query prompt may change without touching the index. */
  readonly hash: string;
  readonly model: EmbeddingModel;
  /** One vector per probe text, each `native` long. */
  readonly probe: readonly Float32Array[];
}

export function spaceHash(model: EmbeddingModel): string {
  const { native } = model.dimensions;
  return digest("space", model.id, model.revision ?? "", model.prompts.document, String(native));
}

/** Opens the embedder and embeds the probe. */
export async function openSpace(
  embedder: Embedder,
  /** Calls the embedder; a run retries here. */
  call: <T>(request: () => Promise<T>) => Promise<T>,
  signal: AbortSignal,
): Promise<Space> {
  const model = await call(() => embedder.open(signal));
  const probe: Float32Array[] = [];
  const { textsPerCall } = embedder.limits;
  for (let start = 0; start < probeTexts.length; start += textsPerCall) {
    const texts = probeTexts.slice(start, start + textsPerCall);
    const { vectors } = await call(() => embedder.embed(texts, "document", signal));
    checkVectors(vectors, texts.length, model);
    probe.push(...vectors);
  }
  return { hash: spaceHash(model), model, probe };
}

/** The first `dimension` numbers of each probe vector, as a marker stores them. */
export function encodeProbe(probe: readonly Float32Array[], dimension: number): string {
  const bytes = probe.map((vector) => {
    const part = vector.slice(0, dimension);
    return Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  });
  return Buffer.concat(bytes).toString("base64");
}

/**
 * Compares the probe with one that was stored. Rejects when the same texts now give vectors of another direction:
 * a swapped model, other pooling, another prompt. `where` names the place of the stored probe.
 */
export function checkProbe(space: Space, stored: string, dimension: number, where: string): void {
  const bytes = Buffer.from(stored, "base64");
  if (bytes.byteLength !== dimension * 4 * space.probe.length) {
    throw new Fault(
      "refused.probe",
      `The probe stored in ${where} has ${bytes.byteLength} bytes, expected ${dimension * 4 * space.probe.length}: it ` +
        "was damaged, or written by another version of sluice. Nothing was written. Give the sink another " +
        "collection, or clear the cache if it is there.",
    );
  }
  const floats = new Float32Array(bytes.byteLength / 4);
  Buffer.from(floats.buffer).set(bytes);
  for (const [index, vector] of space.probe.entries()) {
    const before = floats.subarray(index * dimension, (index + 1) * dimension);
    const cosine = cosineOf(vector.subarray(0, dimension), before);
    if (cosine >= probeCosine) continue;
    throw new Fault(
      "refused.probe",
      `The embedder says it is \`${space.model.id}\`, but it embeds a fixed text differently from before ` +
        `(cosine ${cosine.toFixed(4)} with the probe stored in ${where}, at least ${probeCosine} expected). ` +
        "The model, its pooling or its prompt was changed behind the name. Nothing was written. " +
        "Bring the old model back, or give the new one another collection (and clear the cache).",
    );
  }
}

/** Compares the probe with the one of the cached vectors: those of another model under this name must not be taken. */
export async function checkCache({ cache }: Pipeline, space: Space): Promise<void> {
  const stored = await cache?.probe(space.hash);
  const { native } = space.model.dimensions;
  if (stored !== undefined) checkProbe(space, stored, native, inCache);
}

/** Keeps the probe with the vectors that will be cached, once nothing else refuses them. */
export async function keepInCache({ cache }: Pipeline, space: Space): Promise<void> {
  if (cache === undefined) return;
  const { native } = space.model.dimensions;
  const kept = await cache.keepProbe(space.hash, encodeProbe(space.probe, native));
  checkProbe(space, kept, native, inCache);
}

const inCache = "the embedding cache";
