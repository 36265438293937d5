import { randomUUID } from "node:crypto";
import type {
  DocumentKey,
  DocumentRow,
  Mutation,
  StateSession,
  StoredRecord,
  TargetInfo,
} from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import { parseFingerprint } from "./identity.ts";
import { newMarker, withMark } from "./marks.ts";
import { openStateToWrite } from "./open-state.ts";
import type { Pipeline } from "./pipeline.ts";
import { sinkOf } from "./query.ts";
import { checkProbe, openSpace } from "./space.ts";
import { refusalFault, surveySink } from "./survey.ts";

export interface AdoptResult {
  readonly documents: number;
  readonly records: number;
  /** Documents whose records are not all of one version; the next run writes them again. */
  readonly incomplete: number;
}

/**
 * Rebuilds what the state should know of one sink from a scan of its records. Embeds no document and writes no record;
 * only the marker then names this state. Documents are read again by the next run, and found unchanged.
 */
export async function adopt(
  pipeline: Pipeline,
  options: { readonly sink: string; readonly signal?: AbortSignal },
): Promise<AdoptResult> {
  const signal = options.signal ?? new AbortController().signal;
  const sink = sinkOf(pipeline, options.sink);
  const { name, previously } = pipeline;
  const session = await openStateToWrite(pipeline, signal);
  try {
    const space = await openSpace(pipeline.embedder, (request) => request(), signal);
    const adopting = { adopting: true };
    const survey = await surveySink(pipeline, sink, space, signal, adopting);
    const { decision, marker: live } = survey;
    if (decision.kind === "create") {
      const message = `The collection ${sink.sink.address} does not exist; there is nothing to adopt.`;
      throw new Fault("sink.missing", message);
    }
    if (decision.kind === "refuse") throw refusalFault(decision);
    if (live !== undefined) checkProbe(space, live.probe, live.dimension, sink.sink.address);
    const collection = await sink.sink.open(signal, decision.dimension);
    const marker = live ?? newMarker(space, collection.dimension, randomUUID());
    const target = marker.incarnation;
    await session.commit([{ kind: "forget-target", target }]);
    for await (const page of collection.scan({ pipeline: name }, signal)) {
      await rememberPage(session, target, page);
    }
    const result = await settleAll(session, target);
    const runSeq = (marker.pipelines[name]?.runSeq ?? 0) + 1;
    const info: TargetInfo = {
      target,
      sink: sink.name,
      address: sink.sink.address,
      dimension: collection.dimension,
      space: space.hash,
      markerSeq: runSeq - 1,
      attemptedSeq: runSeq,
    };
    await session.commit([{ kind: "target", info }]);
    const { stateId } = session;
    await collection.setMarker(
      withMark(marker, { pipeline: name, previously, stateId, runSeq }),
      signal,
    );
    await session.commit([{ kind: "target", info: { ...info, markerSeq: runSeq } }]);
    return result;
  } finally {
    await session.close();
  }
}

/**
 * Adds one page of records to their documents' rows. Until the scan is over, the row's version is the records'
 * fingerprint, which names how many there have to be; records of different versions make the row `begun`.
 */
async function rememberPage(
  session: StateSession,
  target: string,
  page: readonly StoredRecord[],
): Promise<void> {
  const byDocument = Map.groupBy(page, (record) => record.document);
  const documents = [...byDocument].map(([document, records]) => {
    const source = records[0]?.source ?? "";
    const key: DocumentKey = { source, id: document.slice(source.length + 1) };
    return { key, records };
  });
  const rows = await session.lookup(documents.map(({ key }) => key));
  const mutations = documents.flatMap(({ key, records }, index): Mutation[] => {
    const row = rows[index];
    const held = row?.targets.get(target);
    const ids = [...new Set([...(held?.ids ?? []), ...records.map(({ id }) => id)])];
    const versions = new Set(records.map(({ fingerprint }) => fingerprint));
    if (held !== undefined) versions.add(held.version);
    const [version = ""] = versions;
    const content = records[0]?.revision ?? "";
    const known: Mutation = { kind: "document", key, set: { content, revision: undefined } };
    const one = versions.size === 1 && parseFingerprint(version) !== undefined;
    return one
      ? [known, { kind: "settle", key, target, version, ids }]
      : [known, { kind: "begin", key, target, ids }, ...stillWithheld(row)];
  });
  await session.commit(mutations, { durable: false });
}

/** To begin with a document makes it owed; one whose deletion is withheld would then be let go. */
function stillWithheld(row: DocumentRow | undefined): Mutation[] {
  if (row?.gone !== true || row.owed) return [];
  return [{ kind: "document", key: { source: row.source, id: row.id }, set: { owed: false } }];
}

/** Now that every record was seen: documents whose records are all there are settled. */
async function settleAll(session: StateSession, target: string): Promise<AdoptResult> {
  let documents = 0;
  let records = 0;
  let incomplete = 0;
  for await (const page of session.pages({ target })) {
    const mutations = page.flatMap((row): Mutation[] => {
      const key: DocumentKey = { source: row.source, id: row.id };
      const held = row.targets.get(target);
      if (held === undefined) return [];
      documents += 1;
      records += held.ids.length;
      const parsed = parseFingerprint(held.version);
      const whole = held.status === "settled" && parsed?.records === held.ids.length;
      if (whole && parsed !== undefined) {
        return [{ kind: "settle", key, target, version: parsed.version, ids: held.ids }];
      }
      incomplete += 1;
      return [{ kind: "begin", key, target, ids: held.ids }, ...stillWithheld(row)];
    });
    await session.commit(mutations);
  }
  return { documents, records, incomplete };
}
