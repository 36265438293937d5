import type { JsonObject } from "../../contracts/index.ts";
import type { Answer } from "./call.ts";
import { metadataBytes } from "./check-record.ts";
import type { IndexStore } from "./index-store.ts";
import { limits } from "./limits.ts";
import { messages } from "./messages.ts";
import type { ReadableView } from "./namespace-store.ts";
import type { PineconeRecord } from "./record.ts";
import { Refusal } from "./refusal.ts";

/** What each read is said to have cost. */
export const usage = { readUnits: 1 };

const nothing: ReadableView = { records: new Map(), lsn: 0, exists: false };

/** What reads of a namespace see now: nothing of one that is not there. */
export function viewOf(index: IndexStore, namespace: string): ReadableView {
  return index.peek(namespace)?.view(index.now()) ?? nothing;
}

/** The answer to a read, which tells the last write that is in it. */
export function read({ lsn }: ReadableView, body: JsonObject): Answer {
  return { status: 200, body, headers: { "x-pinecone-max-indexed-lsn": String(lsn) } };
}

/** What of a record is in an answer. */
export interface Included {
  readonly values: boolean;
  readonly metadata: boolean;
}

export function describeSparse({ sparseValues }: PineconeRecord): JsonObject {
  if (sparseValues === undefined) return {};
  return { sparseValues: { indices: sparseValues.indices, values: [...sparseValues.values] } };
}

/** Refuses results of more than 4 MB, counted as the service sends them inside: 4 bytes for each number. */
export function checkResultSize(records: readonly PineconeRecord[], include: Included): void {
  let bytes = 0;
  for (const { id, values, sparseValues, metadata } of records) {
    bytes += id.length + 16;
    if (include.values) bytes += values.byteLength + 2 * (sparseValues?.values.byteLength ?? 0);
    if (include.metadata) bytes += metadataBytes(metadata);
  }
  if (bytes > limits.messageBytes) throw new Refusal(400, messages.messageSize(bytes), 11);
}
