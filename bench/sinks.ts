import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Arrow from "apache-arrow";
import type * as LanceDb from "@lancedb/lancedb";
import { lancedbSink } from "../connectors/sinks/lancedb/index.ts";
import type { Collection, VectorRecord } from "../src/contracts/index.ts";
import { systemClock } from "../src/flow/index.ts";

/** A line of the benchmark: what was reached beside what is to be reached. */
export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  readonly reach: number;
  readonly reached: number;
  readonly ok: boolean;
}

const dimension = 1024;
const signal = new AbortController().signal;

/**
 * Records per second into LanceDB, through the adapter and through the SDK driven by hand (Arrow batches of the same
 * size and columns, merged by id, as many at a time), until all can be read. Alternating, the medians compared.
 */
export async function benchSinks(records = 20_000, rounds = 5): Promise<readonly BenchRow[]> {
  const data = makeRecords(records);
  const [raw, adapter]: [number[], number[]] = [[], []];
  await throughSdk(data.slice(0, 4_000));
  await throughAdapter(data.slice(0, 4_000));
  for (let round = 0; round < rounds; round++) {
    raw.push(records / (await throughSdk(data)));
    adapter.push(records / (await throughAdapter(data)));
  }
  const share = (100 * median(adapter)) / median(raw);
  return [
    row("lancedb: records through the adapter", "% of the SDK", 90, share),
    row("lancedb: records through the SDK", "records/s", 0, median(raw)),
    row("lancedb: records through the adapter", "records/s", 0, median(adapter)),
  ];
}

function row(name: string, unit: string, reach: number, reached: number): BenchRow {
  return { name, unit, reach, reached: Math.round(reached), ok: reached >= reach };
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? 0;
}

function makeRecords(count: number): VectorRecord[] {
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

async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Seconds that the work takes. */
async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** Seconds through the adapter. */
function throughAdapter(records: readonly VectorRecord[]): Promise<number> {
  return inFolder(async (folder) => {
    const sink = lancedbSink.create(lancedbSink.config.parse({ uri: ".", collection: "bench" }), {
      name: "bench",
      pipeline: "bench",
      folder,
      clock: systemClock,
      fields: {},
    });
    const collection = await sink.create({ dimension, metric: "cosine", fields: {} }, signal);
    const seconds = await timed(() => writeAll(collection, records));
    await sink.close();
    return seconds;
  });
}

async function writeAll(collection: Collection, records: readonly VectorRecord[]): Promise<void> {
  await inTurns(records, collection.limits.concurrentWrites, async (slice) => {
    await collection.write(
      slice.map((record) => ({ kind: "upsert", record })),
      signal,
    );
  });
  const count = await collection.count(undefined, signal);
  if (count !== records.length) throw new Error(`${count} records of ${records.length} arrived`);
}

const recordsPerWrite = 1_000;

async function inTurns(
  records: readonly VectorRecord[],
  concurrency: number,
  write: (slice: readonly VectorRecord[]) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < records.length) {
      const slice = records.slice(next, next + recordsPerWrite);
      next += recordsPerWrite;
      await write(slice);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

/** Seconds through the SDK, as someone would write it who knows it well. */
function throughSdk(records: readonly VectorRecord[]): Promise<number> {
  return inFolder(async (folder) => {
    const { connect } = await import("@lancedb/lancedb");
    const arrow = createRequire(import.meta.url)("apache-arrow") as typeof Arrow;
    const database = await connect(folder);
    const schema = makeSchema(arrow);
    const table = await database.createEmptyTable("bench", schema);
    const seconds = await timed(async () => {
      await inTurns(records, 2, (slice) => mergeByHand(arrow, table, schema, slice));
      const count = await table.countRows();
      if (count !== records.length) throw new Error(`${count} records arrived`);
    });
    database.close();
    return seconds;
  });
}

const texts = [
  "id",
  "text",
  "document",
  "source",
  "title",
  "uri",
  "pipeline",
  "fingerprint",
  "revision",
] as const;

function makeSchema(arrow: typeof Arrow): Arrow.Schema {
  const item = new arrow.Field("item", new arrow.Float32(), true);
  const text = new arrow.Field("item", new arrow.Utf8(), true);
  return new arrow.Schema([
    ...texts.map((name) => new arrow.Field(name, new arrow.Utf8(), true)),
    new arrow.Field("metadata", new arrow.Utf8(), true),
    new arrow.Field("headings", new arrow.List(text), true),
    new arrow.Field("vector", new arrow.FixedSizeList(dimension, item), true),
  ]);
}

async function mergeByHand(
  arrow: typeof Arrow,
  table: LanceDb.Table,
  schema: Arrow.Schema,
  records: readonly VectorRecord[],
): Promise<unknown> {
  const { length } = records;
  const values = new Float32Array(length * dimension);
  for (const [index, { vector }] of records.entries()) values.set(vector, index * dimension);
  const child = arrow.makeData({ type: new arrow.Float32(), length: values.length, data: values });
  const columnOf = (field: Arrow.Field): Arrow.Data | undefined => {
    if (field.name === "vector") {
      return arrow.makeData({ type: field.type as Arrow.FixedSizeList, length, child });
    }
    const column = records.map((record) =>
      field.name === "metadata"
        ? JSON.stringify(record.metadata)
        : record[field.name as keyof VectorRecord],
    );
    return arrow.vectorFromArray(column, field.type).data[0];
  };
  const children = schema.fields.flatMap((field) => columnOf(field) ?? []);
  const data = arrow.makeData({ type: new arrow.Struct(schema.fields), length, children });
  const batch = new arrow.Table(schema, [new arrow.RecordBatch(schema, data)]);
  return table.mergeInsert("id").whenMatchedUpdateAll().whenNotMatchedInsertAll().execute(batch);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const rows = await benchSinks();
  console.table(rows);
  process.exitCode = rows.every((line) => line.ok) ? 0 : 1;
}
