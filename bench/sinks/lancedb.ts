import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as LanceDb from "@lancedb/lancedb";
import type * as Arrow from "apache-arrow";
import { lancedbSink } from "../../connectors/sinks/lancedb/index.ts";
import type { Sink, VectorRecord } from "../../src/contracts/index.ts";
import { contextOf } from "./context.ts";
import { dimension } from "./records.ts";
import type { ByHand, Place, SinkKeys, Store } from "./store.ts";

/**
 * LanceDB, in this process. By hand: Arrow batches with the same columns, merged by id. The adapter also waits for the
 * disk, which the SDK does not.
 */
export const lancedbStore: Store = {
  name: "lancedb",
  recordsPerRound: 20_000,
  ways: [
    { recordsPerWrite: 1_000, concurrent: 1 },
    { recordsPerWrite: 1_000, concurrent: 2 },
    { recordsPerWrite: 1_000, concurrent: 4 },
    { recordsPerWrite: 2_000, concurrent: 2 },
  ],
  peakMb: 600,
  start,
  makeSink,
  openByHand,
  drop: (address, collection) => rm(join(address, collection), { recursive: true }),
};

/** The address is a folder with one for each collection. */
async function start(): Promise<Place> {
  const address = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  return { address, [Symbol.asyncDispose]: () => rm(address, { recursive: true }) };
}

function makeSink(address: string, collection: string, more: SinkKeys = {}): Sink {
  const config = lancedbSink.config.parse({ uri: `./${collection}`, collection: "bench", ...more });
  return lancedbSink.create(config, contextOf(address));
}

async function openByHand(address: string, collection: string): Promise<ByHand> {
  const { connect } = await import("@lancedb/lancedb");
  const arrow = createRequire(import.meta.url)("apache-arrow") as typeof Arrow;
  const database = await connect(join(address, collection));
  const schema = makeSchema(arrow);
  const table = await database.createEmptyTable("bench", schema);
  return {
    write: (records) => mergeByHand(arrow, table, schema, records),
    count: () => table.countRows(),
    close: async () => database.close(),
  };
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
