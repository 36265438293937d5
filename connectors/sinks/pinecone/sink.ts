import type {
  CollectionDescription,
  CollectionSpec,
  ConnectorContext,
  Metric,
  Sink,
} from "../../../src/contracts/index.ts";
import { Fault, isFault } from "../../../src/faults/index.ts";
import { describeCollection } from "../../../src/records/describe-collection.ts";
import { createLayout, type Layout } from "../../../src/records/layout.ts";
import { collectionMissing, collectionUnusable } from "../../../src/records/refusals.ts";
import { PineconeClient } from "./client.ts";
import { PineconeCollection } from "./collection.ts";
import type { PineconeConfig } from "./config.ts";
import { Connection } from "./connection.ts";
import { createIndex, createNamespace, waitUntilReady } from "./control-plane.ts";
import { poll } from "./poll.ts";
import type { SeenMarks } from "./guard.ts";
import { Inspector } from "./inspect.ts";
import { defaultNamespace } from "./limits.ts";
import { type LiveIndex, readIndexModel } from "./live-index.ts";

/** Metadata keys. */
const keyNames = {
  pattern: /^(?!\$)[^\p{Cc}]+$/u,
  words: "a key that does not begin with `$`",
};

/** Makes the sink of one namespace. */
export function createPineconeSink(config: PineconeConfig, context: ConnectorContext): Sink {
  return new PineconeSink(config, context);
}

class PineconeSink implements Sink {
  readonly address: string;
  readonly shape: string;
  readonly createMetric: Metric;
  readonly #config: PineconeConfig;
  readonly #context: ConnectorContext;
  readonly #layout: Layout;
  readonly #client: PineconeClient;
  readonly #connection: Connection;
  readonly #inspector: Inspector;
  readonly #seen: SeenMarks = { marker: undefined, written: undefined, sent: false };

  constructor(config: PineconeConfig, context: ConnectorContext) {
    this.#config = config;
    this.#context = context;
    this.#layout = layOut(config, context);
    this.address = addressOf(config);
    this.shape = this.#layout.shape;
    this.createMetric = config.create.metric;
    this.#client = new PineconeClient(config, this.address, context.clock);
    this.#connection = new Connection(this.#client, config);
    this.#inspector = new Inspector(this.#connection, this.#layout);
  }

  async describe(signal: AbortSignal): Promise<CollectionDescription | undefined> {
    signal.throwIfAborted();
    const found = await this.#inspector.inspect(signal);
    if (found === undefined) return undefined;
    const { live, records, marks, misfits } = found;
    Object.assign(this.#seen, marks);
    const { dimension, metric, elementType } = live;
    const { marker } = marks;
    return describeCollection({ dimension, metric, elementType, records, marker, misfits });
  }

  async create(spec: CollectionSpec, signal: AbortSignal): Promise<PineconeCollection> {
    signal.throwIfAborted();
    const { host, namespace, create } = this.#config;
    if (host !== undefined) throw this.#cannotCreate(host);
    await createIndex(this.#client, this.#config, spec, signal);
    const model = await waitUntilReady(this.#client, this.#config, signal);
    const live = readIndexModel(model);
    await this.#waitForData(live.host, signal);
    const isNarrow = create.indexed_metadata === "filterable";
    if (isNarrow) {
      await createNamespace(this.#client, live.host, namespace, this.#layout, signal);
    }
    Object.assign(this.#seen, { marker: undefined, written: undefined, sent: false });
    return this.#toCollection({ ...live, metric: spec.metric }, spec.dimension);
  }

  async open(signal: AbortSignal): Promise<PineconeCollection> {
    signal.throwIfAborted();
    const found = await this.#inspector.inspect(signal);
    if (found === undefined) throw collectionMissing(this.address);
    const { live, misfits, marks } = found;
    if (misfits.length > 0 || live.elementType !== "float32" || live.dimension === undefined) {
      const problem =
        misfits.join(" ") || `it holds ${live.elementType} vectors, expected float32.`;
      throw collectionUnusable(this.address, problem);
    }
    Object.assign(this.#seen, marks);
    return this.#toCollection(live, live.dimension);
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.describe(signal);
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  #toCollection(live: LiveIndex, dimension: number): PineconeCollection {
    const { host, metric, filterable } = live;
    return new PineconeCollection({
      plane: this.#connection.records(host),
      markers: this.#connection.marker(host, dimension),
      seen: this.#seen,
      layout: this.#layout,
      declared: this.#context.fields,
      dimension,
      metric: metric === undefined || metric === "other" ? this.createMetric : metric,
      filterable,
      concurrency: this.#config.concurrency,
      timeoutMs: this.#config.timeout_ms,
      visibilityTimeoutMs: this.#config.visibility_timeout_ms,
    });
  }

  /** A new index is called ready a moment before its address answers. */
  async #waitForData(host: string, signal: AbortSignal): Promise<void> {
    const plane = this.#connection.records(host);
    let last: unknown;
    const answered = await poll(
      this.#context.clock,
      this.#config.create.timeout_ms,
      signal,
      async () => {
        try {
          await plane.statistics(signal);
          return true;
        } catch (error) {
          if (signal.aborted || !isFault(error) || error.retry !== "later") throw error;
          last = error;
          return false;
        }
      },
    );
    if (!answered) throw last;
  }

  #cannotCreate(host: string): Fault {
    return new Fault(
      "sink.rejected",
      `The collection ${this.address} cannot be created, because \`host\` names ${host}. Remove \`host\`.`,
      { retry: "never", scope: "component" },
    );
  }
}

function layOut({ fields, omit }: PineconeConfig, context: ConnectorContext): Layout {
  for (const field of ["id", "vector"]) {
    if (fields[field] === undefined || fields[field] === field) continue;
    throw new Fault(
      "config.invalid",
      `Sink \`${context.name}\`: \`fields\` renames \`${field}\`, which every Pinecone record has under one name.`,
    );
  }
  return createLayout({
    sink: context.name,
    declared: context.fields,
    fields,
    omit,
    names: keyNames,
  });
}

function addressOf({ index, namespace, host, control_url }: PineconeConfig): string {
  const place = host ?? control_url;
  const inside = namespace === defaultNamespace ? "" : `, namespace \`${namespace}\`,`;
  return `\`${index}\`${inside} in Pinecone${place === undefined ? "" : ` at ${place}`}`;
}
