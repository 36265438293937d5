import type {
  CollectionSpec,
  ConnectorContext,
  FieldType,
  Metric,
  Sink,
} from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { createLayout, type Layout } from "../../../src/records/layout.ts";
import { collectionExists } from "../../../src/records/refusals.ts";
import { MemoryCollection } from "./collection.ts";
import type { MemoryConfig } from "./config.ts";
import { memoryStore } from "./store.ts";

/** Makes a client of a collection in this process. */
export function createMemorySink(config: MemoryConfig, context: ConnectorContext): Sink {
  return new MemorySink(config, context);
}

class MemorySink implements Sink {
  readonly address: string;
  readonly shape: string;
  readonly createMetric: Metric;
  readonly #name: string;
  readonly #declared: Readonly<Record<string, FieldType>>;
  readonly #layout: Layout;

  constructor(config: MemoryConfig, context: ConnectorContext) {
    this.#name = config.collection;
    this.#declared = context.fields;
    this.#layout = createLayout({
      sink: context.name,
      declared: context.fields,
      fields: config.fields,
      omit: config.omit,
      names: { pattern: /./u, words: "at least one character" },
    });
    this.address = `\`${config.collection}\` in this process`;
    this.shape = this.#layout.shape;
    this.createMetric = config.create.metric;
  }

  async describe(signal: AbortSignal) {
    signal.throwIfAborted();
    const live = memoryStore.get(this.#name);
    if (live === undefined) return undefined;
    return {
      dimension: live.spec.dimension,
      metric: live.spec.metric,
      elementType: "float32" as const,
      records: live.records.size,
      ...(live.marker === undefined ? {} : { marker: structuredClone(live.marker) }),
      misfits: [],
    };
  }

  async create(spec: CollectionSpec, signal: AbortSignal): Promise<MemoryCollection> {
    signal.throwIfAborted();
    if (memoryStore.get(this.#name) !== undefined) {
      throw collectionExists(this.address);
    }
    const created = memoryStore.create(this.#name, spec);
    return new MemoryCollection(this.#name, created, this.#declared, this.#layout);
  }

  async open(signal: AbortSignal): Promise<MemoryCollection> {
    signal.throwIfAborted();
    const live = memoryStore.get(this.#name);
    if (live === undefined) {
      throw new Fault(
        "sink.missing",
        `The collection ${this.address} does not exist: it lives as long as the process. Run the pipeline to create it.`,
      );
    }
    return new MemoryCollection(this.#name, live, this.#declared, this.#layout);
  }

  async check(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
  }

  async close(): Promise<void> {}
}
