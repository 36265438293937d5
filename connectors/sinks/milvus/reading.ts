import type {
  Filter,
  Metric,
  SearchHit,
  SearchRequest,
  StoredRecord,
} from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { checkFilter } from "../../../src/records/filter.ts";
import { headerFields } from "../../../src/records/read-record.ts";
import { checkQuery } from "../../../src/records/refusals.ts";
import { decodeRecords } from "./decode.ts";
import { toBytes, vectorType } from "./encode.ts";
import { idsIn, quoteText, toExpression } from "./expression.ts";
import type { LiveCollection, LiveNow } from "./live-collection.ts";
import { toPairs, type FieldData } from "./messages.ts";
import { lengthField, numberField } from "./protobuf.ts";
import type { Place } from "./schema.ts";

/** Records of one answer, when they come without texts and vectors. */
const headersPerPage = 10_000;
/** Records of one answer in other cases, unless their vectors are large. */
const recordsPerPage = 500;
/** Records that the server gives at the most. Milvus Lite gives as many as there are. */
const mostRecords = 16_384;
/** Bytes of vectors in one answer. */
const vectorBytesPerPage = 4 * 1024 * 1024;

/** Reads see everything that was acknowledged before them, by anyone. */
const strongly = { consistency_level: "Strong" } as const;

/** Those of the ids that exist. */
export async function readRecords(
  collection: LiveCollection,
  ids: readonly string[],
  vectors: boolean,
  signal: AbortSignal,
): Promise<StoredRecord[]> {
  if (ids.length === 0) return [];
  const live = await collection.now(signal);
  const perPage = vectors ? recordsWithVectors(collection, recordsPerPage) : recordsPerPage;
  const records: StoredRecord[] = [];
  for (let start = 0; start < ids.length; start += perPage) {
    const some = ids.slice(start, start + perPage);
    const request = {
      expr: idsIn(collection.key, some),
      output_fields: outputs(live, () => true, vectors),
    };
    const columns = await query(collection, request, { limit: some.length }, signal);
    records.push(...decodeRecords(columns, live, collection.options.dimension));
  }
  return records;
}

/**
 * Pages of headers of all records of a pipeline, in the order of their ids. Each page begins behind the last id of the
 * one before, so that what others write meanwhile shifts nothing.
 */
export async function* scanRecords(
  collection: LiveCollection,
  pipeline: string,
  vectors: boolean,
  signal: AbortSignal,
): AsyncGenerator<readonly StoredRecord[]> {
  const live = await collection.now(signal);
  const { dimension, declared, address } = collection.options;
  const filter: Filter = [{ field: "pipeline", operator: "=", value: pipeline }];
  const own = toExpression(checkFilter(filter, declared), live.places, collection.key);
  if (own === undefined) return;
  const output_fields = outputs(live, ({ column }) => headerFields.has(column.field), vectors);
  const most = vectors ? recordsWithVectors(collection, headersPerPage) : headersPerPage;
  for (let [last, limit] = ["", firstLimit(most)]; ;) {
    const expr = `${own} and (${collection.key} > ${quoteText(last)})`;
    // Without the mark of an iterator, Milvus Lite gives any records, not those that come first.
    const options = { limit, iterator: "True", reduce_stop_for_best: "True" };
    const columns = await query(collection, { expr, output_fields }, options, signal);
    const records = decodeRecords(columns, live, dimension);
    if (records.length === 0) return;
    for (const { id } of records) {
      if (id <= last) {
        throw new Fault(
          "sink.foreign",
          `The collection ${address} cannot be scanned: the server does not give records in the order of their ids.`,
        );
      }
      last = id;
    }
    limit = nextLimit(limit, records.length, most);
    yield records;
  }
}

/**
 * How many records to ask for. Milvus gives an iterator as many from every segment that it searches, and so a multiple of
 * what was asked for, that nobody knows before: the first page asks for few, every other one by what the last one gave.
 */
function firstLimit(most: number): number {
  return Math.ceil(most / 10);
}

function nextLimit(asked: number, given: number, most: number): number {
  return Math.max(1, Math.min(most, Math.floor((asked * most) / given)));
}

/** Counts the records that meet a filter. */
export async function countRecords(
  collection: LiveCollection,
  filter: Filter | undefined,
  signal: AbortSignal,
): Promise<number> {
  const checked = checkFilter(filter ?? [], collection.options.declared);
  const { places } = await collection.now(signal);
  const expr = toExpression(checked, places, collection.key);
  if (expr === undefined) return 0;
  return countOf(await query(collection, { expr, output_fields: ["count(*)"] }, {}, signal));
}

/** The number in the answer to a count. */
export function countOf(columns: readonly FieldData[]): number {
  const numbers = columns[0]?.scalars?.["long_data"] as { readonly data?: readonly string[] };
  return Number(numbers?.data?.[0] ?? 0);
}

/** The nearest records, the nearest first. */
export async function searchRecords(
  collection: LiveCollection,
  { vector, k, filter }: SearchRequest,
  signal: AbortSignal,
): Promise<readonly SearchHit[]> {
  const { dimension, address, metric, indexType, declared } = collection.options;
  checkQuery(vector, dimension, address);
  const checked = checkFilter(filter ?? [], declared);
  if (k > mostRecords) {
    throw new Fault(
      "config.invalid",
      `A search asks for ${k} records; Milvus gives ${mostRecords} at most.`,
    );
  }
  const live = await collection.now(signal);
  const dsl = toExpression(checked, live.places, collection.key);
  if (dsl === undefined) return [];
  const type = live.vector?.data_type ?? "FloatVector";
  const request = {
    dsl,
    dsl_type: "BoolExprV1",
    placeholder_group: placeholder(vectorType(type), toBytes(type, vector)),
    output_fields: outputs(live, () => true, false),
    nq: 1,
    search_params: toPairs({
      anns_field: live.vector?.name ?? "vector",
      topk: String(k),
      metric_type: metricNames[metric],
      params: searchParams(indexType, k),
      round_decimal: "-1",
    }),
    ...strongly,
  };
  const { results } = await collection.call("Search", request, { verb: "searched", signal });
  const scores = results?.scores ?? [];
  return decodeRecords(results?.fields_data ?? [], live, dimension)
    .map((record, index) => ({ record, score: toScore(metric, scores[index] ?? NaN) }))
    .toSorted((left, right) => right.score - left.score);
}

/** Milvus' names of the metrics. */
export const metricNames: Readonly<Record<Metric, string>> = {
  cosine: "COSINE",
  dot: "IP",
  euclidean: "L2",
};

/** Milvus gives similarities, but of the euclidean distance the square. */
function toScore(metric: Metric, score: number): number {
  return metric === "euclidean" ? -Math.sqrt(score) : score;
}

/** How many candidates an index looks at; those that are not named decide by themselves. */
function searchParams(indexType: string, k: number): Readonly<Record<string, number>> {
  if (indexType.startsWith("HNSW")) return { ef: Math.max(64, 2 * k) };
  if (indexType.startsWith("IVF") || indexType === "SCANN") return { nprobe: 32 };
  return indexType === "DISKANN" ? { search_list: Math.max(100, 2 * k) } : {};
}

/** The query vector in the form of the protocol: a group of one placeholder with one value. */
function placeholder(type: number, bytes: Uint8Array): Buffer {
  const parts = [lengthField(1, Buffer.from("$0")), numberField(2, type), lengthField(3, bytes)];
  return lengthField(1, ...parts);
}

async function query(
  collection: LiveCollection,
  request: { readonly expr: string; readonly output_fields: readonly string[] },
  params: Readonly<Record<string, string | number>>,
  signal: AbortSignal,
): Promise<readonly FieldData[]> {
  const query_params = toPairs(params);
  const answer = await collection.call(
    "Query",
    { ...request, query_params, ...strongly },
    { verb: "read", signal },
  );
  return answer.fields_data;
}

/** What to ask for, to get these columns. */
function outputs(live: LiveNow, wanted: (place: Place) => boolean, vectors: boolean): string[] {
  const places = live.places.filter(wanted);
  const names = places.filter(({ kind }) => kind === "field").map(({ column }) => column.name);
  if (places.some(({ kind }) => kind === "dynamic")) names.push("$meta");
  if (vectors && live.vector !== undefined) names.push(live.vector.name);
  return names;
}

function recordsWithVectors({ options }: LiveCollection, most: number): number {
  return Math.max(1, Math.min(most, Math.floor(vectorBytesPerPage / (4 * options.dimension))));
}
