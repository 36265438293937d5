import type {
  CollectionAliases,
  CollectionDescription,
  CollectionMarker,
  CollectionSpec,
  ConnectorContext,
  Metric,
  Sink,
} from "../../../src/contracts/index.ts";
import { Fault, isFault } from "../../../src/faults/index.ts";
import { describeCollection } from "../../../src/records/describe-collection.ts";
import { createLayout, type Layout } from "../../../src/records/layout.ts";
import {
  collectionExists,
  collectionMissing,
  collectionUnusable,
} from "../../../src/records/refusals.ts";
import { createAliases } from "./aliases.ts";
import { createClass } from "./class-body.ts";
import { WeaviateCollection } from "./collection.ts";
import { completeSchema } from "./complete-schema.ts";
import type { WeaviateConfig } from "./config.ts";
import { inspect, objectsOf, readClass, type InspectOptions } from "./inspect.ts";
import { problemOf, type LiveSchema } from "./live-schema.ts";
import { writeBirth } from "./marker.ts";
import { placeOf, type Place } from "./place.ts";
import { WeaviateServer } from "./server.ts";

/** What Weaviate takes as a property's name, without its own names and ours. */
const propertyNames = {
  pattern: /^(?!_id$|_additional$|sluice$)[_a-z][_0-9A-Za-z]{0,230}$/,
  words:
    "letters, digits and `_`, a lower-case letter or `_` first, and not `sluice`, `_id` or `_additional`",
};
const betweenLooksMs = 50;

/** Makes the sink of one collection, or of one tenant in it. */
export function createWeaviateSink(config: WeaviateConfig, context: ConnectorContext): Sink {
  return new WeaviateSink(config, context);
}

class WeaviateSink implements Sink {
  readonly address: string;
  readonly shape: string;
  readonly createMetric: Metric;
  readonly aliases: CollectionAliases;
  readonly #config: WeaviateConfig;
  readonly #context: ConnectorContext;
  readonly #place: Place;
  readonly #layout: Layout;
  readonly #server: WeaviateServer;
  readonly #seen: { marker: CollectionMarker | undefined } = { marker: undefined };

  constructor(config: WeaviateConfig, context: ConnectorContext) {
    this.#config = config;
    this.#context = context;
    this.#place = placeOf(config);
    this.#layout = layoutOf(config, context);
    this.#server = new WeaviateServer({
      place: this.#place,
      apiKey: config.api_key,
      timeoutMs: config.timeout_ms,
    });
    this.address = this.#place.shown;
    // Records that have another vector are written anew.
    this.shape = [this.#layout.shape, ...(config.vector === undefined ? [] : [config.vector])].join(
      " ",
    );
    this.createMetric = config.create.metric;
    this.aliases = createAliases(this.#server);
  }

  async describe(signal: AbortSignal): Promise<CollectionDescription | undefined> {
    signal.throwIfAborted();
    await this.#server.meta(signal);
    const found = await inspect(this.#inspecting, signal);
    if (found === undefined) return undefined;
    const { schema, marker, records, dimension } = found;
    this.#seen.marker = marker;
    const { metric, elementType, misfits } = schema;
    return describeCollection({
      dimension,
      metric,
      metricName: metric === "other" ? (schema.vector?.distance ?? "") : undefined,
      elementType,
      records,
      marker,
      misfits,
    });
  }

  async create(spec: CollectionSpec, signal: AbortSignal): Promise<WeaviateCollection> {
    signal.throwIfAborted();
    await this.#server.meta(signal);
    const { tenant } = this.#place;
    const there = await readClass(this.#inspecting, signal);
    if (there === undefined) await this.#createClass(spec, signal);
    else if (tenant === undefined) throw collectionExists(this.address);
    else this.#checkUsable(there);
    if (tenant !== undefined) await this.#createTenant(there?.collection, tenant, signal);
    this.#seen.marker = undefined;
    const schema = await this.#waitUsable(signal);
    if (tenant !== undefined) await this.#noteBirth(schema, spec.dimension, signal);
    return this.#toCollection(schema, spec.dimension, metricOf(schema, spec.metric), signal);
  }

  async open(signal: AbortSignal, agreed = 0): Promise<WeaviateCollection> {
    signal.throwIfAborted();
    await this.#server.meta(signal);
    const found = await inspect(this.#inspecting, signal);
    if (found === undefined) throw collectionMissing(this.address);
    this.#checkUsable(found.schema);
    this.#seen.marker = found.marker;
    const dimension = found.dimension ?? found.marker?.dimension ?? agreed;
    return this.#toCollection(
      found.schema,
      dimension,
      metricOf(found.schema, this.createMetric),
      signal,
    );
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.describe(signal);
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  get #inspecting(): InspectOptions {
    return {
      server: this.#server,
      wishes: {
        layout: this.#layout,
        vector: this.#config.vector,
        tenant: this.#place.tenant,
      },
      consistency: this.#config.consistency,
    };
  }

  async #toCollection(
    schema: LiveSchema,
    dimension: number,
    metric: Metric,
    signal: AbortSignal,
  ): Promise<WeaviateCollection> {
    const { messageBytes } = await this.#server.meta(signal);
    return new WeaviateCollection({
      server: this.#server,
      objects: objectsOf(this.#inspecting, schema),
      wishes: this.#inspecting.wishes,
      declared: this.#context.fields,
      clock: this.#context.clock,
      dimension,
      metric,
      schema,
      seen: this.#seen,
      messageBytes,
    });
  }

  async #createClass(spec: CollectionSpec, signal: AbortSignal): Promise<void> {
    const { collection } = this.#place;
    const wishes = { collection, layout: this.#layout, config: this.#config };
    const body = createClass(wishes, spec);
    const { status } = await this.#server.rest(
      "created",
      { method: "POST", path: "/schema", body },
      signal,
    );
    if (status === 404) {
      throw new Fault(
        "sink.foreign",
        `The collection ${this.address} cannot be created: what answers there is not Weaviate. Check \`url\`.`,
      );
    }
  }

  /** Rejects when records cannot be written to the collection at all. */
  #checkUsable(schema: LiveSchema): void {
    const problem = problemOf(schema);
    if (problem !== undefined) throw collectionUnusable(this.address, problem);
  }

  async #noteBirth(schema: LiveSchema, dimension: number, signal: AbortSignal): Promise<void> {
    const { wishes } = this.#inspecting;
    const complete = await completeSchema(this.#server, schema, wishes, signal);
    const objects = objectsOf(this.#inspecting, complete);
    await writeBirth(objects, dimension, this.#server.failed("created"), signal);
  }

  async #createTenant(
    live: string | undefined,
    tenant: string,
    signal: AbortSignal,
  ): Promise<void> {
    const collection = live ?? this.#place.collection;
    const path = `/schema/${collection}/tenants`;
    const there = await this.#server.rest(
      "read",
      { method: "GET", path: `${path}/${tenant}` },
      signal,
    );
    if (there.status !== 404) throw collectionExists(this.address);
    await this.#server.rest("created", { method: "POST", path, body: [{ name: tenant }] }, signal);
  }

  /** Waits until every part of the server knows the new collection. */
  async #waitUsable(signal: AbortSignal): Promise<LiveSchema> {
    const { clock } = this.#context;
    const end = clock.monotonic() + this.#config.timeout_ms;
    for (;;) {
      try {
        const schema = await readClass(this.#inspecting, signal);
        if (schema !== undefined) {
          await objectsOf(this.#inspecting, schema).count(undefined, signal);
          return schema;
        }
      } catch (error) {
        const isEarly = isFault(error) && ["sink.missing", "sink.not-ready"].includes(error.code);
        if (!isEarly || clock.monotonic() > end) throw error;
      }
      if (clock.monotonic() > end) {
        throw new Fault(
          "sink.not-ready",
          `The collection ${this.address} was created, but is not there after ${this.#config.timeout_ms} ms. Run again.`,
        );
      }
      await clock.sleep(betweenLooksMs, signal);
    }
  }
}

function layoutOf(config: WeaviateConfig, { name, fields }: ConnectorContext): Layout {
  for (const [field, instead] of [
    ["id", "the id of an object has no other name in Weaviate; leave it out"],
    ["vector", "name the vector with `vector`"],
  ] as const) {
    if (Object.hasOwn(config.fields, field)) {
      throw new Fault(
        "config.invalid",
        `Sink \`${name}\`: \`fields\` names \`${field}\`; ${instead}.`,
      );
    }
  }
  return createLayout({
    sink: name,
    declared: fields,
    fields: config.fields,
    omit: config.omit,
    names: propertyNames,
  });
}

function metricOf({ metric }: LiveSchema, otherwise: Metric): Metric {
  return metric === undefined || metric === "other" ? otherwise : metric;
}
