import type { JsonObject } from "../../contracts/index.ts";
import type { Answer, Call } from "./call.ts";
import {
  checkId,
  checkLength,
  checkNamespace,
  readSparseValues,
  readValues,
} from "./check-record.ts";
import { Fields } from "./fields.ts";
import type { IndexStore } from "./index-store.ts";
import { limits } from "./limits.ts";
import { parseFilter } from "./metadata-filter.ts";
import type { ReadableView } from "./namespace-store.ts";
import { checkResultSize, describeSparse, type Included, read, usage, viewOf } from "./reading.ts";
import type { PineconeRecord } from "./record.ts";
import { Refusal } from "./refusal.ts";
import { bySimilarity, type QueryVector, scorer } from "./scores.ts";

/** The records that are most similar to a vector, or to a record, which is found too. */
export function queryVectors(index: IndexStore, { body, isCurrent }: Call): Answer {
  const fields = new Fields(body, "", "data", [
    "namespace",
    "topK",
    "filter",
    "includeValues",
    "includeMetadata",
    "vector",
    "sparseVector",
    "id",
    "scanFactor",
    "maxCandidates",
    ...(isCurrent ? [] : ["queries"]),
  ]);
  const namespace = checkNamespace(fields.string("namespace"));
  const topK = fields.integer("topK") ?? 0;
  if (topK < 1 || topK > limits.topK) {
    throw new Refusal(400, `top_k must be between 1 and ${limits.topK}, but got ${topK}`);
  }
  for (const name of ["queries", "scanFactor", "maxCandidates"]) {
    if (fields.json(name) === undefined) continue;
    throw new Refusal(400, `${name} is not supported by this index`);
  }
  const test = parseFilter(fields.anyObject("filter") ?? {});
  const view = viewOf(index, namespace);
  const wanted = readQueryVector(fields, index, view);
  const found = [...view.records.values()].filter(({ metadata }) => test(metadata));
  const matches = wanted === undefined ? [] : nearest(index, wanted, found, topK);
  const include = {
    values: fields.boolean("includeValues") ?? false,
    metadata: fields.boolean("includeMetadata") ?? false,
  };
  checkResultSize(
    matches.map(({ record }) => record),
    include,
  );
  return read(view, {
    matches: matches.map(({ record, score }) => describeMatch(record, score, include)),
    namespace,
    usage,
  });
}

/** What a query asks for by vector or by id; undefined when the id is not there. */
function readQueryVector(
  fields: Fields,
  index: IndexStore,
  view: ReadableView,
): QueryVector | undefined {
  const id = fields.string("id");
  const values = readValues(fields, "vector") ?? new Float32Array();
  const sparseValues = readSparseValues(fields, "sparseVector");
  const byVector = values.length > 0 || sparseValues !== undefined;
  if ((id === undefined) !== byVector) {
    throw new Refusal(400, "Exactly one of id and vector must be given");
  }
  if (id !== undefined) {
    const record = view.records.get(checkId(id));
    return record && { values: record.values, sparseValues: record.sparseValues };
  }
  const { dimension } = index.shape;
  if (dimension !== undefined) checkLength(values, dimension);
  else if (values.length > 0) throw new Refusal(400, "A sparse index takes no dense query vector");
  if (sparseValues !== undefined && index.metric !== "dotproduct") {
    throw new Refusal(400, "Only indexes with the metric dotproduct support sparse query vectors");
  }
  return { values, sparseValues };
}

interface Match {
  readonly record: PineconeRecord;
  readonly score: number;
}

function nearest(
  { metric, conditions }: IndexStore,
  wanted: QueryVector,
  records: readonly PineconeRecord[],
  topK: number,
): readonly Match[] {
  const score = scorer(metric, wanted);
  const matches = records
    .map((record) => ({ record, score: score(record) }))
    .toSorted((one, other) => bySimilarity(metric, one.score, other.score))
    .slice(0, topK);
  // The service has been seen to answer so once there are three or more.
  return conditions.unsortedMatches && matches.length > 2 ? matches.toReversed() : matches;
}

function describeMatch(record: PineconeRecord, score: number, include: Included): JsonObject {
  const { id, values, sparseValues, metadata } = record;
  return {
    id,
    score,
    values: include.values ? [...values] : [],
    ...(include.values && sparseValues !== undefined ? describeSparse(record) : {}),
    ...(include.metadata && metadata !== undefined ? { metadata } : {}),
  };
}
