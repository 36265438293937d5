import type * as Sdk from "@pinecone-database/pinecone";
import { isFault } from "../../../src/faults/index.ts";
import { isStorableId } from "./check-record.ts";
import type { DataPlane, Match } from "./data-plane.ts";
import type { ServiceFilter } from "./filter.ts";
import { serviceLimits } from "./limits.ts";

/** Bytes that a record's metadata has on average, more or less; a wrong guess costs a second request. */
const guessedMetadataBytes = 2_048;
/** Groups of ids that are fetched at a time. */
const fetchesAtOnce = 4;

/** How many records of this dimension fit into one answer, more or less. */
function recordsPerAnswer(dimension: number): number {
  const fit = Math.floor(serviceLimits.answerBytes / (4 * dimension + guessedMetadataBytes));
  return Math.min(Math.max(fit, 1), serviceLimits.recordsPerRequest);
}

/** Those of the ids that exist, group by group, a few groups at a time. */
export async function* fetchRecords(
  plane: DataPlane,
  ids: Iterable<string>,
  dimension: number,
  signal: AbortSignal,
): AsyncGenerator<readonly Sdk.PineconeRecord[]> {
  const wanted = [...new Set(ids)].filter(isStorableId);
  const groups = groupIds(wanted, recordsPerAnswer(dimension));
  for (let start = 0; start < groups.length; start += fetchesAtOnce) {
    const few = groups.slice(start, start + fetchesAtOnce);
    yield* await Promise.all(few.map((group) => fetchGroup(plane, group, signal)));
  }
}

/** One request, or more when the answer would be too large. */
async function fetchGroup(
  plane: DataPlane,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<readonly Sdk.PineconeRecord[]> {
  try {
    return await plane.fetch(ids, signal);
  } catch (error) {
    if (!isTooLarge(error) || ids.length === 1) throw error;
    const middle = ids.length >> 1;
    const left = await fetchGroup(plane, ids.slice(0, middle), signal);
    const right = await fetchGroup(plane, ids.slice(middle), signal);
    return [...left, ...right];
  }
}

/** Groups of at most so many ids, which stand in the address of a request and must fit into it. */
function groupIds(ids: readonly string[], most: number): readonly (readonly string[])[] {
  const groups: string[][] = [];
  let group: string[] = [];
  let bytes = 0;
  for (const id of ids) {
    const weight = encodeURIComponent(id).length + "&ids=".length;
    if (group.length >= most || (group.length > 0 && bytes + weight > serviceLimits.urlBytes)) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(id);
    bytes += weight;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

/**
 * All records of the namespace, whosever they are: lists ids, in their order, and fetches each group of them. What comes
 * or goes meanwhile may be missed, and nothing comes twice.
 */
export async function* scanRecords(
  plane: DataPlane,
  dimension: number,
  signal: AbortSignal,
): AsyncGenerator<readonly Sdk.PineconeRecord[]> {
  const most = recordsPerAnswer(dimension);
  let ids: string[] = [];
  let token: string | undefined;
  do {
    const page = await plane.list("", token, signal);
    ids.push(...page.ids);
    token = page.next;
    if (token !== undefined && ids.length + serviceLimits.idsPerPage <= most) continue;
    yield* fetchRecords(plane, ids, dimension, signal);
    ids = [];
  } while (token !== undefined);
}

/** All ids that begin with the prefix. */
export async function listIds(
  plane: DataPlane,
  prefix: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const ids: string[] = [];
  let token: string | undefined;
  do {
    const page = await plane.list(prefix, token, signal);
    ids.push(...page.ids);
    token = page.next;
  } while (token !== undefined);
  return ids;
}

/**
 * Counts the records that meet a filter, by fetching them: the service counts only without a filter, and a search finds
 * what is near, not all. Pages become smaller when an answer would be too large.
 */
export async function countMatches(
  plane: DataPlane,
  filter: ServiceFilter,
  dimension: number,
  signal: AbortSignal,
): Promise<number> {
  let limit = recordsPerAnswer(dimension);
  let total = 0;
  let token: string | undefined;
  for (;;) {
    try {
      const { count, next } = await plane.countPage(filter, { limit, token }, signal);
      total += count;
      if (next === undefined) return total;
      token = next;
    } catch (error) {
      if (!isTooLarge(error) || limit === 1) throw error;
      limit >>= 1;
    }
  }
}

/** The nearest records, without values. When their metadata is too large for one answer, it is fetched by id. */
export async function findNearest(
  plane: DataPlane,
  search: { readonly vector: number[]; readonly topK: number; readonly filter?: ServiceFilter },
  signal: AbortSignal,
): Promise<readonly Match[]> {
  try {
    return (await plane.query({ ...search, includeMetadata: true }, signal)).value;
  } catch (error) {
    if (!isTooLarge(error)) throw error;
  }
  const { value: matches } = await plane.query({ ...search, includeMetadata: false }, signal);
  const metadata = new Map<string, Sdk.RecordMetadata | undefined>();
  const ids = matches.map(({ id }) => id);
  for await (const group of fetchRecords(plane, ids, search.vector.length, signal)) {
    for (const record of group) metadata.set(record.id, record.metadata);
  }
  return matches.flatMap((match) => {
    const found = metadata.get(match.id);
    return found === undefined ? [] : [{ ...match, metadata: found }];
  });
}

function isTooLarge(error: unknown): boolean {
  return isFault(error) && error.code === "sink.too-large";
}
