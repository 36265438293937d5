import { join, resolve } from "node:path";
import type * as LanceDb from "@lancedb/lancedb";
import type {
  CollectionDescription,
  CollectionMarker,
  CollectionSpec,
  ConnectorContext,
  Metric,
  Sink,
} from "../../../src/contracts/index.ts";
import { LanceCollection } from "./collection.ts";
import type { LancedbConfig } from "./config.ts";
import { Durability } from "./durability.ts";
import { toFault, type FailedCall } from "./faults.ts";
import { describeCollection } from "../../../src/records/describe-collection.ts";
import { createLayout, type Layout } from "../../../src/records/layout.ts";
import {
  collectionExists,
  collectionMissing,
  collectionUnusable,
} from "../../../src/records/refusals.ts";
import { readMarks } from "./marker.ts";
import { connectTo, loadNative, type Native } from "./native.ts";
import { checkWritable, lookAt } from "./place.ts";
import { createSchema, readSchema, type LiveSchema } from "./schema.ts";

/** What Lance's filters can quote, without its own names. */
const columnNames = {
  pattern: /^(?!_row|_distance$|_score$)[\p{L}_][\p{L}\p{N}_ -]*$/u,
  words: "letters, digits, `_`, `-` and spaces, a letter or `_` first",
};

/** Makes the sink of one table. */
export function createLancedbSink(config: LancedbConfig, context: ConnectorContext): Sink {
  return new LanceSink(config, context);
}

/** What a table is, freshly read. */
interface Inspection {
  readonly live: LiveSchema;
  readonly marker: CollectionMarker | undefined;
  readonly metric: Metric | "other" | undefined;
}

class LanceSink implements Sink {
  readonly address: string;
  readonly shape: string;
  readonly createMetric: Metric;
  readonly #context: ConnectorContext;
  readonly #layout: Layout;
  /** The database's folder, and the table's in it. */
  readonly #folder: string;
  readonly #tableFolder: string;
  readonly #collection: string;
  readonly #open = new Set<LanceCollection>();
  readonly #seen: { marker: CollectionMarker | undefined } = { marker: undefined };
  #connection: Promise<LanceDb.Connection> | undefined;

  constructor(config: LancedbConfig, context: ConnectorContext) {
    this.#context = context;
    this.#layout = createLayout({
      sink: context.name,
      declared: context.fields,
      fields: config.fields,
      omit: config.omit,
      names: columnNames,
    });
    this.#folder = resolve(context.folder, config.uri);
    this.#tableFolder = join(this.#folder, `${config.collection}.lance`);
    this.#collection = config.collection;
    this.address = `\`${config.collection}\` in ${this.#folder}`;
    this.shape = this.#layout.shape;
    this.createMetric = config.create.metric;
  }

  async describe(signal: AbortSignal): Promise<CollectionDescription | undefined> {
    signal.throwIfAborted();
    if ((await lookAt(this.#folder, this.#tableFolder)) === "absent") return undefined;
    return this.#call("read", async () => {
      const table = await this.#openTable();
      try {
        const { live, marker, metric } = await this.#inspect(table);
        this.#seen.marker = marker;
        const { dimension, elementType, misfits } = live;
        const records = await table.countRows();
        return describeCollection({ dimension, metric, elementType, records, marker, misfits });
      } finally {
        table.close();
      }
    });
  }

  async create(spec: CollectionSpec, signal: AbortSignal): Promise<LanceCollection> {
    signal.throwIfAborted();
    if ((await lookAt(this.#folder, this.#tableFolder)) === "table")
      throw collectionExists(this.address);
    await checkWritable(this.#folder);
    const table = await this.#call("created", async () => {
      const native = await loadNative();
      const connection = await this.#connect();
      const schema = createSchema(native, this.#layout, spec.dimension, spec.metric);
      const created = await connection.createEmptyTable(this.#collection, schema);
      await new Durability(this.#tableFolder).sync();
      return created;
    });
    this.#seen.marker = undefined;
    return this.#toCollection(await loadNative(), table, spec.dimension, spec.metric, undefined);
  }

  async open(signal: AbortSignal): Promise<LanceCollection> {
    signal.throwIfAborted();
    if ((await lookAt(this.#folder, this.#tableFolder)) === "absent")
      throw collectionMissing(this.address);
    return this.#call("read", async () => {
      const table = await this.#openTable();
      const { live, marker, metric } = await this.#inspect(table);
      const problem = problemOf(live, metric);
      if (problem !== undefined) {
        table.close();
        throw collectionUnusable(this.address, problem);
      }
      this.#seen.marker = marker;
      const known = metric === undefined || metric === "other" ? this.createMetric : metric;
      return this.#toCollection(await loadNative(), table, live.dimension ?? 0, known, marker);
    });
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.describe(signal);
    await checkWritable(this.#folder);
    await loadNative();
  }

  async close(): Promise<void> {
    const collections = [...this.#open];
    this.#open.clear();
    const connection = await this.#connection?.catch(() => undefined);
    await Promise.all(collections.map((collection) => collection.close()));
    connection?.close();
    this.#connection = undefined;
  }

  #toCollection(
    native: Native,
    table: LanceDb.Table,
    dimension: number,
    metric: Metric,
    marker: CollectionMarker | undefined,
  ): LanceCollection {
    const collection = new LanceCollection({
      native,
      table,
      reopen: () => this.#reopen(),
      layout: this.#layout,
      declared: this.#context.fields,
      address: this.address,
      folder: this.#tableFolder,
      dimension,
      metric,
      seen: this.#seen,
      incarnation: marker?.incarnation,
    });
    this.#open.add(collection);
    return collection;
  }

  #connect(): Promise<LanceDb.Connection> {
    this.#connection ??= loadNative().then((native) => connectTo(native, this.#folder));
    return this.#connection;
  }

  /** A connection keeps what the driver has cached; another one begins with nothing. */
  async #reopen(): Promise<LanceDb.Table> {
    const old = this.#connection;
    this.#connection = undefined;
    const table = await this.#openTable();
    (await old?.catch(() => undefined))?.close();
    return table;
  }

  async #openTable(): Promise<LanceDb.Table> {
    return (await this.#connect()).openTable(this.#collection);
  }

  async #inspect(table: LanceDb.Table): Promise<Inspection> {
    const native = await loadNative();
    const schema = await table.schema();
    const idColumn = this.#layout.find("id")?.name ?? "id";
    const { marker, metric } = readMarks(schema, idColumn, this.address);
    const live = readSchema(native, this.#layout, schema, metric !== undefined);
    const indexed = await indexMetric(table, this.#layout.find("vector")?.name ?? "vector");
    return { live, marker, metric: indexed ?? metric };
  }

  async #call<Result>(verb: FailedCall["verb"], call: () => Promise<Result>): Promise<Result> {
    try {
      return await call();
    } catch (error) {
      throw toFault(error, { verb, address: this.address, folder: this.#tableFolder });
    }
  }
}

/** Why records cannot be written to the table at all. */
function problemOf(live: LiveSchema, metric: Inspection["metric"]): string | undefined {
  if (live.misfits.length > 0) return live.misfits.join(" ");
  if (live.elementType !== "float32" && live.elementType !== "float16") {
    return `it holds ${live.elementType} vectors, expected float32 or float16.`;
  }
  if (metric === "other") return "its index compares by a metric that does not suit its vectors.";
  return undefined;
}

/** The metric of the index on the vectors, which is the only place where Lance keeps one. */
async function indexMetric(
  table: LanceDb.Table,
  column: string,
): Promise<Metric | "other" | undefined> {
  const index = (await table.listIndices()).find(({ columns }) => columns.includes(column));
  if (index === undefined) return undefined;
  const { distanceType } = (await table.indexStats(index.name)) ?? {};
  switch (distanceType) {
    case "cosine":
    case "dot":
      return distanceType;
    case "l2":
      return "euclidean";
    case undefined:
      return undefined;
    default:
      return "other";
  }
}
