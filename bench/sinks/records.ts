import { randomUUID } from "node:crypto";
import type { CollectionMarker, VectorRecord, WriteOperation } from "../../src/contracts/index.ts";

/** Numbers of a vector. */
export const dimension = 1024;

/** Fresh records, about 6 KB each. */
export function makeRecords(count: number): VectorRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    id: randomUUID(),
    pipeline: "bench",
    document: `docs:page-${index >> 3}.md`,
    source: "docs",
    fingerprint: "f".repeat(64),
    revision: "r".repeat(64),
    vector: Float32Array.from({ length: dimension }, () => Math.random() - 0.5),
    text: "A sentence of some words that a reader would see. ".repeat(30),
    title: "A title",
    uri: `file:///docs/page-${index >> 3}.md`,
    headings: ["Guide", "Part"],
    fields: {},
    metadata: { author: "somebody" },
  }));
}

/** Everything of a record but its id, vector and metadata, under the sinks' own names. */
export function columnsOf(record: VectorRecord) {
  const { text, document, source, title = "", uri = "", pipeline, fingerprint, revision } = record;
  const headings = [...record.headings];
  return { text, document, source, title, uri, headings, pipeline, fingerprint, revision };
}

export function toUpsert(record: VectorRecord): WriteOperation {
  return { kind: "upsert", record };
}

/** A marker such as every run sets before its first write. */
export function makeMarker(): CollectionMarker {
  return {
    version: 1,
    incarnation: randomUUID(),
    space: { hash: "bench", model: "bench" },
    dimension,
    probe: Buffer.alloc(3 * dimension * 4, 1).toString("base64"),
    pipelines: { bench: { stateId: randomUUID(), runSeq: 1 } },
  };
}
