import type {
  DocumentKey,
  FaultLike,
  JsonObject,
  TargetRow,
  VectorRecord,
  WriteOperation,
} from "../contracts/index.ts";
import { fit } from "../dimensions/index.ts";
import { isFault } from "../faults/index.ts";
import { join } from "../flow/index.ts";
import { recordFingerprint } from "./identity.ts";
import type { Run } from "./run-parts.ts";
import type { ReadyChunk, Spool } from "./spool.ts";
import type { Target } from "./targets.ts";

/** A version of a document, embedded as a whole and ready to be written to any target. */
export interface PreparedDocument {
  readonly content: string;
  readonly title: string | undefined;
  readonly uri: string | undefined;
  readonly fields: JsonObject;
  readonly metadata: JsonObject;
  /** Ids of all records, in order; no two are equal. */
  readonly ids: readonly string[];
  readonly spool: Spool;
}

/** Windows of one document that are written at once. */
const windowsInFlight = 4;
/** Deletes handed to the writer at once. */
const deletesAtOnce = 1000;

/**
 * Makes a target hold exactly `next` of a document: remember (old ∪ new) → upsert → when all are acknowledged, delete
 * orphans → settle. Without `next` the target holds nothing of the document afterwards. Returns the fault that left it
 * unsettled, if any; the state then still remembers everything that may be there.
 */
export async function applyToTarget(
  run: Run,
  target: Target,
  key: DocumentKey,
  row: TargetRow | undefined,
  next: { readonly version: string; readonly document: PreparedDocument } | undefined,
): Promise<FaultLike | undefined> {
  if (target.fault !== undefined) return target.fault;
  const old = row?.ids ?? [];
  const ids = next?.document.ids ?? [];
  const fresh = new Set(ids);
  const orphans = old.filter((id) => !fresh.has(id));
  const unmarked = await markTarget(target);
  if (unmarked !== undefined) return unmarked;
  const begin = { kind: "begin", key, target: target.id, ids: [...ids, ...orphans] } as const;
  await run.context.session.commit([begin]);
  const failed = new Faults();
  if (next !== undefined) await upsert(run, target, key, next, failed);
  if (failed.first === undefined) await remove(target, orphans, failed);
  if (failed.first !== undefined) {
    run.horizon.unsettled(target, key, failed.ambiguous);
    return failed.first;
  }
  const settle =
    next === undefined
      ? ({ kind: "clear", key, target: target.id } as const)
      : ({ kind: "settle", key, target: target.id, version: next.version, ids } as const);
  const changes = [settle, ...target.visibility.changes()];
  await run.context.session.commit(changes, { durable: false });
  run.horizon.settled(target, key);
  return undefined;
}

/** A sink whose marker cannot be written is given up; the others go on. */
async function markTarget(target: Target): Promise<FaultLike | undefined> {
  try {
    await target.mark();
    return undefined;
  } catch (error) {
    if (!isFault(error) || !error.code.startsWith("sink.")) throw error;
    target.fail(error);
    return error;
  }
}

/** The faults of one attempt: the gravest decides, and whether anything may still land. */
class Faults {
  first: FaultLike | undefined;
  ambiguous = false;

  add(faults: ReadonlyMap<string, FaultLike>): void {
    for (const fault of faults.values()) {
      this.ambiguous ||= fault.ambiguous;
      if (
        this.first === undefined ||
        (this.first.scope === "component" && fault.scope === "document")
      )
        this.first = fault;
    }
  }
}

async function upsert(
  run: Run,
  target: Target,
  key: DocumentKey,
  next: { readonly version: string; readonly document: PreparedDocument },
  failed: Faults,
): Promise<void> {
  const { document } = next;
  const fingerprint = recordFingerprint(next.version, document.ids.length);
  const pending: Promise<void>[] = [];
  let oldest = 0;
  for await (const window of document.spool.windows()) {
    const operations = window.chunks.map((chunk, index): WriteOperation => {
      const vector = window.vectors[index];
      if (vector === undefined) throw new RangeError("A chunk has no vector.");
      const fitted = fit(vector, target.dimension);
      return {
        kind: "upsert",
        record: recordOf(run, key, document, chunk, fitted, fingerprint),
      };
    });
    const write = target.writer.apply(operations).then((outcome) => failed.add(outcome.failed));
    pending.push(write);
    if (pending.length - oldest >= windowsInFlight) {
      await pending[oldest];
      oldest += 1;
    }
    if (failed.first !== undefined) break;
  }
  await join(pending);
}

async function remove(target: Target, orphans: readonly string[], failed: Faults): Promise<void> {
  for (let start = 0; start < orphans.length; start += deletesAtOnce) {
    const ids = orphans.slice(start, start + deletesAtOnce);
    const operations = ids.map((id): WriteOperation => ({ kind: "delete", id }));
    const outcome = await target.writer.apply(operations);
    failed.add(outcome.failed);
    if (failed.first !== undefined) return;
  }
}

function recordOf(
  run: Run,
  key: DocumentKey,
  document: PreparedDocument,
  chunk: ReadyChunk,
  vector: Float32Array,
  fingerprint: string,
): VectorRecord {
  return {
    id: chunk.id,
    pipeline: run.context.pipeline.name,
    document: `${key.source}:${key.id}`,
    source: key.source,
    fingerprint,
    revision: document.content,
    vector,
    text: chunk.text,
    ...(document.title === undefined ? {} : { title: document.title }),
    ...(document.uri === undefined ? {} : { uri: document.uri }),
    headings: chunk.headings,
    ...(chunk.page === undefined ? {} : { page: chunk.page }),
    ...(run.context.pipeline.policy.positions ? { position: chunk.position } : {}),
    fields: document.fields,
    metadata: metadataOf(document, chunk),
  };
}

/** A vector of several parts says so: it is less exact than that of a text that the model read as a whole. */
function metadataOf({ metadata }: PreparedDocument, { parts }: ReadyChunk): JsonObject {
  return parts === undefined ? metadata : { ...metadata, embedding_parts: parts };
}
