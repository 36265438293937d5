import type { VectorRecord } from "../../contracts/index.ts";
import { chunkId, parseFingerprint } from "../../engine/identity.ts";
import type { SimulatedCollection, SimulatedStore } from "./simulated-sink.ts";
import { vectorOf } from "./simulated-stages.ts";
import type { World } from "./world.ts";

/** The ids that a document of these lines has, in order. */
function idsOf(document: string, lines: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return lines.map((line) => {
    const occurrence = seen.get(line) ?? 0;
    seen.set(line, occurrence + 1);
    return chunkId("simulated", "world", document, line, occurrence);
  });
}

/** How the records of a store differ from what a fresh run would make; empty when they do not. */
export function indexViolations(
  world: World,
  store: SimulatedStore,
  excused: ReadonlySet<string>,
): string[] {
  const violations: string[] = [];
  const records = store.collection?.records ?? new Map<string, VectorRecord>();
  const expected = new Set<string>();
  for (const [document, { lines, label }] of world.documents) {
    const ids = idsOf(document, lines);
    if (excused.has(`world:${document}`)) {
      for (const id of ids) expected.add(id);
      continue;
    }
    const fingerprints = new Set<string>();
    for (const [index, id] of ids.entries()) {
      expected.add(id);
      const record = records.get(id);
      const line = lines[index] ?? "";
      if (record === undefined) violations.push(`missing: ${document} line ${index}`);
      else {
        fingerprints.add(record.fingerprint);
        if (!isRight(record, line, label)) violations.push(`stale: ${document} line ${index}`);
      }
    }
    const [fingerprint] = fingerprints;
    if (fingerprints.size > 1) violations.push(`mixed versions: ${document}`);
    if (fingerprint !== undefined && parseFingerprint(fingerprint)?.records !== ids.length) {
      violations.push(`wrong count in the fingerprint: ${document}`);
    }
  }
  for (const record of records.values()) {
    if (!expected.has(record.id) && !excused.has(record.document)) {
      violations.push(`orphaned: a record of ${record.document}`);
    }
  }
  return violations;
}

function isRight(record: VectorRecord, line: string, label: string): boolean {
  if (record.text !== line || record.metadata["label"] !== label) return false;
  const native = vectorOf(line);
  const length = record.vector.length;
  let dot = 0;
  let norm = 0;
  for (let index = 0; index < length; index += 1) {
    dot += (record.vector[index] ?? 0) * (native[index] ?? 0);
    norm += (native[index] ?? 0) ** 2;
  }
  return Math.abs(dot / Math.sqrt(norm) - 1) < 1e-5;
}

/**
 * A record was deleted. If its document was there all the time, some version of it must be complete without the
 * record: otherwise readers lost what they had.
 */
export function deletionViolation(
  record: VectorRecord,
  collection: SimulatedCollection,
  world: World,
  lasting: ReadonlySet<string>,
): string | undefined {
  const id = record.document.slice("world:".length);
  if (!lasting.has(id) || !world.documents.has(id)) return undefined;
  const complete = (world.past.get(id) ?? []).some((lines) =>
    idsOf(id, lines).every((chunk) => collection.records.has(chunk)),
  );
  return complete
    ? undefined
    : `a record of ${id} was deleted although no version of it is complete`;
}
