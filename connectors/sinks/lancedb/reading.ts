import type * as Arrow from "apache-arrow";
import type {
  Filter,
  Metric,
  SearchHit,
  SearchRequest,
  StoredRecord,
} from "../../../src/contracts/index.ts";
import { checkFilter } from "../../../src/records/filter.ts";
import { checkQuery } from "../../../src/records/refusals.ts";
import { decodeBatch } from "./decode.ts";
import type { LiveTable } from "./live-table.ts";
import type { LiveColumn, LiveSchema } from "./schema.ts";
import { toSql } from "./sql.ts";

/** Records of one page. */
const recordsPerPage = 1_000;

/** Pages of the records that meet a condition, of one snapshot of the table. */
export async function* readPages(
  live: LiveTable,
  where: string,
  wanted: (column: LiveColumn) => boolean,
  signal: AbortSignal,
): AsyncGenerator<StoredRecord[]> {
  const { columns: all } = await live.run("read", "read", signal, () => live.schema());
  const columns = all.filter(wanted);
  const query = live.table
    .query()
    .where(where)
    .select(columns.map(({ column }) => column.name));
  const batches = query[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await live.run("read", "read", signal, () => batches.next());
      if (next.done === true) return;
      const records = decodeBatch(next.value as unknown as Arrow.RecordBatch, columns);
      for (let start = 0; start < records.length; start += recordsPerPage) {
        yield records.slice(start, start + recordsPerPage);
      }
    }
  } finally {
    await batches.return?.();
  }
}

/** Counts the records that meet a filter. */
export async function countRecords(
  live: LiveTable,
  filter: Filter | undefined,
  signal: AbortSignal,
): Promise<number> {
  return live.run("read", "read", signal, async () => {
    const where = whereOf(live, filter, await live.schema());
    return live.table.countRows(where);
  });
}

/** The nearest records, the nearest first. */
export async function searchRecords(
  live: LiveTable,
  { vector, k, filter }: SearchRequest,
  signal: AbortSignal,
): Promise<readonly SearchHit[]> {
  const { table } = live;
  const { metric, layout, address, dimension } = live.options;
  checkQuery(vector, dimension, address);
  return live.run("read", "read", signal, async () => {
    const schema = await live.schema();
    const columns = schema.columns.filter(allColumns(false));
    const query = table
      .query()
      .nearestTo(vector)
      .column(layout.find("vector")?.name ?? "vector")
      .distanceType(metric === "euclidean" ? "l2" : metric)
      .limit(k)
      // Only matters where somebody made an index: exact distances for ten times as many candidates.
      .refineFactor(10)
      .select([...columns.map(({ column }) => column.name), "_distance"]);
    const where = whereOf(live, filter, schema);
    if (where !== undefined) query.where(where);
    const hits: SearchHit[] = [];
    for await (const batch of query) {
      hits.push(...toHits(batch as unknown as Arrow.RecordBatch, columns, metric));
    }
    return hits.toSorted((left, right) => right.score - left.score);
  });
}

/** Chooses all columns, the vectors only when asked for. */
export function allColumns(vectors: boolean): (live: LiveColumn) => boolean {
  return ({ column }) => vectors || column.type !== "vector";
}

function whereOf(
  live: LiveTable,
  filter: Filter | undefined,
  { columns }: LiveSchema,
): string | undefined {
  if (filter === undefined || filter.length === 0) return undefined;
  const names = new Map(columns.map(({ column }) => [column.field, column.name]));
  return toSql(checkFilter(filter, live.options.declared), (field) => names.get(field));
}

function toHits(
  batch: Arrow.RecordBatch,
  columns: readonly LiveColumn[],
  metric: Metric,
): SearchHit[] {
  const distances = batch.getChild("_distance");
  return decodeBatch(batch, columns).map((record, row) => {
    const distance = Number(distances?.get(row));
    // Lance gives 1 - cosine, 1 - dot product, and the square of the euclidean distance.
    return { record, score: metric === "euclidean" ? -Math.sqrt(distance) : 1 - distance };
  });
}
