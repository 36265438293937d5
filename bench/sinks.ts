import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type * as Arrow from "apache-arrow";
import type * as LanceDb from "@lancedb/lancedb";
import { allocator, nodeOptions } from "../bin/memory-settings.js";
import { lancedbSink } from "../connectors/sinks/lancedb/index.ts";
import type { Sink, VectorRecord, WriteOperation } from "../src/contracts/index.ts";
import { systemClock } from "../src/flow/index.ts";
import type { BenchRow } from "./row.ts";

const dimension = 1024;
const signal = new AbortController().signal;

/** The rows of the sinks. About a minute. */
export async function benchSinks(): Promise<readonly BenchRow[]> {
  return [await speedRow(20_000, 5), await memoryRow()];
}

/**
 * Records per second into LanceDB, through the adapter and through the SDK driven by hand (Arrow batches of the same
 * size and columns, merged by id, two at a time, which measured best), until all can be read. Alternating, the medians
 * compared. The adapter also waits for the disk, which the SDK does not.
 */
async function speedRow(records: number, rounds: number): Promise<BenchRow> {
  const data = makeRecords(records);
  const [raw, adapter]: [number[], number[]] = [[], []];
  // The adapter first, so that both run with the driver's settings that it chooses.
  await throughAdapter(data.slice(0, 4_000));
  await throughSdk(data.slice(0, 4_000));
  for (let round = 0; round < rounds; round++) {
    raw.push(records / (await throughSdk(data)));
    adapter.push(records / (await throughAdapter(data)));
  }
  const reached = Math.round((100 * median(adapter)) / median(raw));
  return {
    name: "sinks: lancedb, records through the adapter against the SDK",
    unit: "%",
    reach: 90,
    reached,
    ok: reached >= 90,
    note: `${Math.round(median(adapter))} against ${Math.round(median(raw))} records/s of ${dimension} numbers`,
  };
}

const memoryRecords = 100_000;

/** Peak memory of a process that writes, compacts and scans 100,000 records, with the launcher's settings. */
async function memoryRow(): Promise<BenchRow> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...nodeOptions, program, "--memory"],
    { env: { ...process.env, ...allocator } },
  );
  const reached = Number(stdout);
  return {
    name: `sinks: lancedb, peak memory over ${memoryRecords} records`,
    unit: "MB",
    reach: 600,
    reached,
    ok: reached < 600,
    note: `${dimension} numbers each; includes Node itself`,
  };
}

/** The child of the memory row: prints its peak in megabytes. */
async function spendMemory(): Promise<void> {
  const perBatch = 5_000;
  await inFolder(async (folder) => {
    const sink = openSink(folder);
    const collection = await sink.create({ dimension, metric: "cosine", fields: {} }, signal);
    for (let done = 0; done < memoryRecords; done += perBatch) {
      await inTurns(makeRecords(perBatch), collection.limits.concurrentWrites, (slice) =>
        collection.write(toUpserts(slice), signal),
      );
    }
    await collection.optimize?.(signal);
    let scanned = 0;
    for await (const page of collection.scan({ pipeline: "bench", vectors: true }, signal)) {
      scanned += page.length;
    }
    if (scanned !== memoryRecords) throw new Error(`${scanned} records scanned`);
    await sink.close();
  });
  console.log(Math.round(process.resourceUsage().maxRSS / 1000));
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

function openSink(folder: string): Sink {
  return lancedbSink.create(lancedbSink.config.parse({ uri: ".", collection: "bench" }), {
    name: "bench",
    pipeline: "bench",
    folder,
    clock: systemClock,
    fields: {},
  });
}

/** Seconds through the adapter. */
function throughAdapter(records: readonly VectorRecord[]): Promise<number> {
  return inFolder(async (folder) => {
    const sink = openSink(folder);
    const collection = await sink.create({ dimension, metric: "cosine", fields: {} }, signal);
    const seconds = await timed(async () => {
      await inTurns(records, collection.limits.concurrentWrites, (slice) =>
        collection.write(toUpserts(slice), signal),
      );
      const count = await collection.count(undefined, signal);
      if (count !== records.length) throw new Error(`${count} records arrived`);
    });
    await sink.close();
    return seconds;
  });
}

function toUpserts(records: readonly VectorRecord[]): WriteOperation[] {
  return records.map((record) => ({ kind: "upsert", record }));
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

const program = fileURLToPath(import.meta.url);

if (program === process.argv[1]) {
  if (process.argv[2] === "--memory") await spendMemory();
  else console.table(await benchSinks());
}
