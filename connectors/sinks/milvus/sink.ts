import { randomUUID } from "node:crypto";
import type {
  CollectionAliases,
  CollectionDescription,
  CollectionMarker,
  CollectionSpec,
  ConnectorContext,
  Metric,
  Sink,
} from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { describeCollection } from "../../../src/records/describe-collection.ts";
import { createLayout, type Layout } from "../../../src/records/layout.ts";
import {
  collectionExists,
  collectionMissing,
  collectionUnusable,
} from "../../../src/records/refusals.ts";
import { parseAddress } from "./address.ts";
import { createAliases } from "./aliases.ts";

import { MilvusCollection } from "./collection.ts";
import type { MilvusConfig } from "./config.ts";
import { checkPartitionKey, createCollection, createIndex } from "./create.ts";
import { reservedNames } from "./expression.ts";
import type { Doing } from "./faults.ts";
import { identityOf, inquire } from "./live-collection.ts";
import { isLoaded, load } from "./loading.ts";
import { creationOf, readMarker } from "./marker.ts";
import { valueFor, type CollectionInfo } from "./messages.ts";
import { countOf } from "./reading.ts";
import { readSchema, type LiveSchema } from "./schema.ts";
import { scattersRows } from "./version.ts";
import { Wire, type CallOptions } from "./wire.ts";

/** What Milvus takes as a name, without the words of its expressions and its own two fields. */
const columnNames = {
  pattern: new RegExp(
    `^(?!(?:${reservedNames})$)(?!(?:RowID|Timestamp)$)[A-Za-z_][A-Za-z0-9_]{0,254}$`,
  ),
  words: "letters, digits and `_`, a letter or `_` first, and no word of Milvus' filters",
};

/** Makes the sink of one collection. */
export function createMilvusSink(config: MilvusConfig, context: ConnectorContext): Sink {
  return new MilvusSink(config, context);
}

/** What a collection is, freshly asked. */
interface Inspection {
  readonly info: CollectionInfo;
  readonly live: LiveSchema;
  readonly marker: CollectionMarker | undefined;
  /** Undefined when there is no index on the vectors. */
  readonly index: { readonly type: string; readonly metric: Metric | "other" } | undefined;
}

const noIndex = 700;

class MilvusSink implements Sink {
  readonly address: string;
  readonly shape: string;
  readonly createMetric: Metric;
  readonly aliases: CollectionAliases;
  readonly #config: MilvusConfig;
  readonly #context: ConnectorContext;
  readonly #layout: Layout;
  readonly #wire: Wire;
  readonly #seen: { marker: CollectionMarker | undefined } = { marker: undefined };

  constructor(config: MilvusConfig, context: ConnectorContext) {
    this.#config = config;
    this.#context = context;
    this.#layout = createLayout({
      sink: context.name,
      declared: context.fields,
      fields: config.fields,
      omit: config.omit,
      names: columnNames,
    });
    checkPartitionKey(config.create.partition_key, this.#layout, context.name);
    const { target } = parseAddress(config.address);
    this.address = `\`${config.collection}\` in database \`${config.database}\` of Milvus at ${target}`;
    this.shape = this.#layout.shape;
    this.createMetric = config.create.metric;
    this.#wire = new Wire({ config, folder: context.folder });
    this.aliases = createAliases(this.#wire, this.address);
  }

  async describe(signal: AbortSignal): Promise<CollectionDescription | undefined> {
    const inspection = await this.#inspect(signal);
    if (inspection === undefined) return undefined;
    const { live, marker, index } = inspection;
    this.#seen.marker = marker;
    const records = await this.#count(inspection, signal);
    const { dimension, elementType } = live;
    const metric = index?.metric;
    const misfits = misfitsOf(inspection);
    return describeCollection({ dimension, metric, elementType, records, marker, misfits });
  }

  async create(spec: CollectionSpec, signal: AbortSignal): Promise<MilvusCollection> {
    // Some servers call it a success to create what exists.
    if ((await this.#inquire(signal)) !== undefined) throw collectionExists(this.address);
    const uuid = randomUUID();
    const creation = { wire: this.#wire, config: this.#config, layout: this.#layout, spec, uuid };
    await createCollection(creation, this.#doing("created", signal));
    const info = await this.#inquire(signal);
    if (info !== undefined && creationOf(info.properties) !== uuid)
      throw collectionExists(this.address);
    return this.open(signal);
  }

  async open(signal: AbortSignal): Promise<MilvusCollection> {
    const inspection = await this.#inspect(signal);
    if (inspection === undefined) throw collectionMissing(this.address);
    const { live, marker, info } = inspection;
    const problem = problemOf(inspection);
    if (problem !== undefined) throw collectionUnusable(this.address, problem);
    const index = await this.#makeReady(inspection, signal);
    this.#seen.marker = marker;
    return new MilvusCollection({
      wire: this.#wire,
      name: this.#config.collection,
      layout: this.#layout,
      declared: this.#context.fields,
      pipeline: this.#context.pipeline,
      clock: this.#context.clock,
      address: this.address,
      dimension: live.dimension ?? 0,
      metric: index.metric === "other" ? this.createMetric : index.metric,
      indexType: index.type,
      identity: identityOf(info),
      scattered: await this.#isScattered(live, signal),
      seen: this.#seen,
    });
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.describe(signal);
    const health = await this.#wire.call("CheckHealth", {}, this.#doing("read", signal));
    if (!health.quota_states.includes("DenyToWrite")) return;
    throw new Fault(
      "sink.full",
      `The server of ${this.address} takes no writes: a quota, memory or disk is exhausted, or an administrator has ` +
        "stopped writing.",
    );
  }

  async close(): Promise<void> {
    this.#wire.close();
  }

  /** Completes a creation that was cut off, and loads the collection. */
  async #makeReady(
    { info, index }: Inspection,
    signal: AbortSignal,
  ): Promise<NonNullable<Inspection["index"]>> {
    const call = this.#doing("loaded", signal);
    const { index: type } = this.#config.create;
    if (index === undefined && creationOf(info.properties) !== undefined) {
      await createIndex(this.#config, this.#layout, this.#wire, this.createMetric, call);
    }
    const { clock } = this.#context;
    await load(this.#wire, this.#config, clock, call);
    return index ?? { type, metric: this.createMetric };
  }

  async #isScattered({ places }: LiveSchema, signal: AbortSignal): Promise<boolean> {
    if (!places.some((place) => place.kind === "field" && place.field.is_partition_key)) {
      return false;
    }
    const { version } = await this.#wire.call("GetVersion", {}, this.#doing("read", signal));
    return scattersRows(version);
  }

  async #inspect(signal: AbortSignal): Promise<Inspection | undefined> {
    const info = await this.#inquire(signal);
    if (info === undefined) return undefined;
    const { pipeline } = this.#context;
    const live = readSchema({ schema: info.schema, layout: this.#layout, pipeline });
    const marker = readMarker(info.properties, this.address);
    return { info, live, marker, index: await this.#index(live, signal) };
  }

  async #index(live: LiveSchema, signal: AbortSignal): Promise<Inspection["index"]> {
    const answer = await this.#wire.call(
      "DescribeIndex",
      { collection_name: this.#config.collection },
      { ...this.#doing("read", signal), expected: [noIndex] },
    );
    const index = answer.index_descriptions.find(
      ({ field_name: name }) => name === live.vector?.name,
    );
    if (index === undefined) return undefined;
    const metric = valueFor(index.params, "metric_type")?.toUpperCase() ?? "";
    return { type: valueFor(index.params, "index_type") ?? "", metric: metrics[metric] ?? "other" };
  }

  /** The number of records; of a collection that is not loaded, an estimate. */
  async #count({ info, marker, index }: Inspection, signal: AbortSignal): Promise<number> {
    const call = this.#doing("read", signal);
    if (await isLoaded(this.#wire, this.#config, this.#context.clock, call)) {
      const answer = await this.#wire.call(
        "Query",
        {
          collection_name: this.#config.collection,
          expr: "",
          output_fields: ["count(*)"],
          consistency_level: "Strong",
        },
        call,
      );
      return countOf(answer.fields_data);
    }
    const { stats } = await this.#wire.call(
      "GetCollectionStatistics",
      { collection_name: this.#config.collection },
      call,
    );
    const records = Number(valueFor(stats, "row_count") ?? 0);
    const isOurs = creationOf(info.properties) !== undefined;
    // Without an index it is refused anyway.
    if (isOurs || marker !== undefined || index === undefined || records > 0) return records;
    // The estimate leaves out what was written lately, so this may be somebody's, or empty.
    throw new Fault(
      "sink.not-ready",
      `The collection ${this.address} is not loaded, so that nobody can tell whether it holds records. Load it, and ` +
        "run again.",
      { retry: "never" },
    );
  }

  async #inquire(signal: AbortSignal): Promise<CollectionInfo | undefined> {
    const { collection, database } = this.#config;
    const info = await inquire(this.#wire, collection, this.address, signal);
    // Old servers say of a database that does not exist only that it has no such collection.
    if (info === undefined && database !== "default") await this.#checkDatabase(signal);
    return info;
  }

  async #checkDatabase(signal: AbortSignal): Promise<void> {
    const { database } = this.#config;
    const names = await this.#wire
      .call("ListDatabases", {}, this.#doing("read", signal))
      // Who may not list them may still use one.
      .then(
        (answer) => answer.db_names,
        () => [database],
      );
    if (names.includes(database)) return;
    throw new Fault(
      "sink.missing",
      `The collection ${this.address} cannot be read: there is no such database, only ` +
        `${names.map((name) => `\`${name}\``).join(", ")}. Create it, or correct \`database\`.`,
      { retry: "never" },
    );
  }

  #doing(verb: Doing["verb"], signal: AbortSignal): CallOptions {
    return { verb, address: this.address, signal };
  }
}

const metrics: Readonly<Record<string, Metric>> = { COSINE: "cosine", IP: "dot", L2: "euclidean" };

/** Why records of this pipeline do not fit, one sentence each. */
function misfitsOf({ live, index, info }: Inspection): readonly string[] {
  // What sluice made gets its index when it is opened; what somebody else made does not.
  const isOurs = creationOf(info.properties) !== undefined;
  if (live.vector === undefined || index !== undefined || isOurs) return live.misfits;
  return [...live.misfits, "Its vectors have no index. Create one, and load it."];
}

/** Why records cannot be written to the collection at all. */
function problemOf(inspection: Inspection): string | undefined {
  const misfits = misfitsOf(inspection);
  if (misfits.length > 0) return misfits.join(" ");
  const { elementType } = inspection.live;
  if (!["float32", "float16", "bfloat16"].includes(elementType)) {
    return `it holds ${elementType} vectors, expected float32, float16 or bfloat16.`;
  }
  return inspection.index?.metric === "other"
    ? "its index compares by a metric that does not suit its vectors."
    : undefined;
}
