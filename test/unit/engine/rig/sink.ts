import { memorySink, memoryStore } from "../../../../connectors/sinks/memory/index.ts";
import type {
  Collection,
  CollectionDescription,
  CollectionMarker,
  CollectionSpec,
  FaultLike,
  Sink,
  SinkLimits,
  StoredRecord,
  VisibilityToken,
  WriteOperation,
} from "../../../../src/contracts/index.ts";
import { systemClock } from "../../../../src/flow/index.ts";
import { Gauge } from "./gauge.ts";

let collections = 0;

/** The sink `memory` with switches: counts and spoils what goes through it. */
export class RigSink implements Sink {
  readonly name: string;
  /** The name of the collection in this process. */
  collection: string;
  dimension: "auto" | number = "auto";
  shapeSuffix = "";
  readonly writes: (readonly WriteOperation[])[] = [];
  readonly reads: string[] = [];
  readonly writing = new Gauge();
  limits: Partial<SinkLimits> = {};
  markers = 0;
  /** Runs before anything that touches the store; may throw or hang. */
  before: (call: string, signal: AbortSignal) => Promise<void> = async () => {};
  /** Runs before a write takes effect; may throw or hang. */
  beforeWrite: (operations: readonly WriteOperation[], signal: AbortSignal) => Promise<void> =
    async () => {};
  /** Acknowledges writes and keeps nothing of them, for more records than a test should hold. */
  discards = false;
  /** Writes give tokens; how a wait for one goes. */
  waitVisible: ((token: VisibilityToken) => Promise<void>) | undefined;
  /** Tokens that were waited for. */
  readonly waits: VisibilityToken[] = [];
  /** Operations that do not take effect. */
  refuses: (operation: WriteOperation) => FaultLike | undefined = () => undefined;

  constructor(name: string, collection?: string) {
    collections += 1;
    this.name = name;
    this.collection = collection ?? `rig-${process.pid}-${collections}`;
  }

  get address(): string {
    return this.#sink.address;
  }

  get shape(): string {
    return this.#sink.shape + this.shapeSuffix;
  }

  get createMetric(): Sink["createMetric"] {
    return this.#sink.createMetric;
  }

  /** What the store holds, in the order of ids. */
  get records(): (StoredRecord & { readonly vector: Float32Array })[] {
    const records = memoryStore.get(this.collection)?.records.values() ?? [];
    return [...records].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** The texts of a document, sorted; of all documents when none is named. */
  texts(document?: string): string[] {
    const wanted = this.records.filter(
      (record) => document === undefined || record.document === document,
    );
    return wanted.map(({ text }) => text ?? "").toSorted();
  }

  get marker(): CollectionMarker | undefined {
    return memoryStore.get(this.collection)?.marker;
  }

  set marker(marker: CollectionMarker | undefined) {
    const live = memoryStore.get(this.collection);
    if (live !== undefined) live.marker = marker;
  }

  /** Operations of all writes. */
  get operations(): WriteOperation[] {
    return this.writes.flat();
  }

  drop(): void {
    memoryStore.drop(this.collection);
  }

  async describe(signal: AbortSignal): Promise<CollectionDescription | undefined> {
    await this.before("describe", signal);
    return this.#sink.describe(signal);
  }

  async create(spec: CollectionSpec, signal: AbortSignal): Promise<Collection> {
    await this.before("create", signal);
    return this.#spoil(await this.#sink.create(spec, signal));
  }

  async open(signal: AbortSignal): Promise<Collection> {
    await this.before("open", signal);
    return this.#spoil(await this.#sink.open(signal));
  }

  async check(): Promise<void> {}

  async close(): Promise<void> {}

  get #sink(): Sink {
    const config = memorySink.config.parse({ collection: this.collection });
    const { name } = this;
    const context = { name, pipeline: "rig", folder: "/", clock: systemClock, fields: {} };
    return memorySink.create(config, context);
  }

  #spoil(collection: Collection): Collection {
    return {
      limits: { ...collection.limits, ...this.limits },
      dimension: collection.dimension,
      write: async (operations, signal) => {
        const leave = this.writing.enter();
        try {
          if (!this.discards) this.writes.push(operations);
          await this.before("write", signal);
          await this.beforeWrite(operations, signal);
          if (this.discards) return { failed: new Map() };
          const failed = new Map<string, FaultLike>();
          for (const operation of operations) {
            const fault = this.refuses(operation);
            if (fault !== undefined) failed.set(idOf(operation), fault);
          }
          const taken = operations.filter((operation) => !failed.has(idOf(operation)));
          await collection.write(taken, signal);
          const number = this.writes.length;
          return this.waitVisible === undefined ? { failed } : { failed, visible: { number } };
        } finally {
          leave();
        }
      },
      waitVisible: async (token) => {
        this.waits.push(token);
        await this.waitVisible?.(token);
      },
      read: async (ids, options, signal) => {
        await this.before("read", signal);
        this.reads.push(...ids);
        return collection.read(ids, options, signal);
      },
      count: async (filter, signal) => {
        await this.before("count", signal);
        return collection.count(filter, signal);
      },
      scan: (options, signal) => collection.scan(options, signal),
      search: (request, signal) => collection.search(request, signal),
      setMarker: async (marker, signal) => {
        await this.before("setMarker", signal);
        this.markers += 1;
        await collection.setMarker(marker, signal);
      },
      sizeOf: (operation) => (this.discards ? 1000 : collection.sizeOf(operation)),
    };
  }
}

export function idOf(operation: WriteOperation): string {
  return operation.kind === "upsert" ? operation.record.id : operation.id;
}
