import type {
  Filter,
  Metric,
  SearchHit,
  SearchRequest,
  StoredRecord,
} from "../../../src/contracts/index.ts";
import { checkFilter } from "../../../src/records/filter.ts";
import { headerFields } from "../../../src/records/read-record.ts";
import { checkQuery } from "../../../src/records/refusals.ts";
import type { CollectionOptions } from "./collection-options.ts";
import { toRecord } from "./decode.ts";
import { compileFilter, type CompiledFilter } from "./filter.ts";
import type { LiveColumn } from "./live-schema.ts";
import { countMarks, isMarkerId } from "./marker.ts";

/** The first id of all. */
const beforeFirst = "";

/** Those of the ids that exist, whole. */
export async function readRecords(
  { objects, schema }: CollectionOptions,
  ids: readonly string[],
  withVectors: boolean,
  signal: AbortSignal,
): Promise<StoredRecord[]> {
  const properties = namesOf(schema.columns);
  const hits = await objects.find(ids, { properties, withVectors }, signal);
  return hits.map((hit) => toRecord(hit, schema.columns));
}

/**
 * Pages of the headers of one pipeline's records. The server gives all objects in the order of their ids, and takes no
 * filter with that; so records of others are passed over here.
 */
export async function* scanRecords(
  { objects, schema }: CollectionOptions,
  pipeline: string,
  withVectors: boolean,
  signal: AbortSignal,
): AsyncGenerator<StoredRecord[]> {
  const columns = schema.columns.filter(({ column }) => headerFields.has(column.field));
  const wanted = { properties: namesOf(columns), withVectors };
  for await (const hits of objects.pages(beforeFirst, wanted, signal)) {
    const records = hits
      .filter(({ id }) => !isMarkerId(id))
      .map((hit) => toRecord(hit, columns))
      .filter((record) => record.pipeline === pipeline);
    if (records.length > 0) yield records;
  }
}

/** Counts the records that meet a filter; without one, all that are not part of a marker. */
export async function countRecords(
  options: CollectionOptions,
  filter: Filter | undefined,
  signal: AbortSignal,
): Promise<number> {
  signal.throwIfAborted();
  const compiled = compile(options, filter);
  if (compiled === "nothing") return 0;
  const { objects } = options;
  if (compiled !== "everything") return objects.count(compiled, signal);
  const [all, marks] = await Promise.all([
    objects.count(undefined, signal),
    countMarks(objects, signal),
  ]);
  return all - marks;
}

/** The nearest records, the nearest first. */
export async function searchRecords(
  options: CollectionOptions,
  { vector, k, filter }: SearchRequest,
  signal: AbortSignal,
): Promise<readonly SearchHit[]> {
  signal.throwIfAborted();
  const { objects, schema, metric, dimension, server } = options;
  checkQuery(vector, dimension, server.options.place.shown);
  const compiled = compile(options, filter);
  if (compiled === "nothing") return [];
  const query = {
    properties: namesOf(schema.columns),
    withVectors: false,
    limit: k,
    ...(compiled === "everything" ? {} : { filter: compiled }),
  };
  const hits = await objects.near(vector, query, signal);
  return hits.map((hit) => ({
    record: toRecord(hit, schema.columns),
    score: scoreOf(hit.distance ?? Number.NaN, metric),
  }));
}

/** Weaviate gives 1 - cosine, the negative dot product, and the square of the euclidean distance. */
function scoreOf(distance: number, metric: Metric): number {
  if (metric === "cosine") return 1 - distance;
  return metric === "dot" ? -distance : -Math.sqrt(distance);
}

function compile(options: CollectionOptions, filter: Filter | undefined): CompiledFilter {
  return compileFilter(checkFilter(filter ?? [], options.declared), options.schema.columns);
}

function namesOf(columns: readonly LiveColumn[]): string[] {
  return columns.map(({ column }) => column.name);
}
