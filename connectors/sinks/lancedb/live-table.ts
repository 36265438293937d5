import type * as LanceDb from "@lancedb/lancedb";
import type { CollectionMarker, FieldType, Metric } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { Gate } from "../../../src/flow/index.ts";
import type { Layout } from "../../../src/records/layout.ts";
import { toFault, type FailedCall } from "./faults.ts";
import { readMarks } from "./marker.ts";
import type { Native } from "./native.ts";
import { readSchema, type LiveSchema } from "./schema.ts";

/** What a collection needs to know of its sink. */
export interface TableOptions {
  readonly native: Native;
  readonly table: LanceDb.Table;
  /** Opens the table anew, by a connection of its own. */
  readonly reopen: () => Promise<LanceDb.Table>;
  readonly layout: Layout;
  readonly declared: Readonly<Record<string, FieldType>>;
  readonly address: string;
  /** The folder of the table. */
  readonly folder: string;
  readonly dimension: number;
  readonly metric: Metric;
  /** The marker last seen, also by the sink's `describe`. */
  readonly seen: { marker: CollectionMarker | undefined };
  readonly incarnation: string | undefined;
}

/** Commits at a time: while one batch is encoded, the other is merged; more gained nothing on two cores. */
export const concurrentCommits = 2;

/** How much of the table a call needs: reads nothing, writes a share, what changes the whole table all of it. */
const shares = { read: 0, write: 1, alone: concurrentCommits } as const;

/** A table of the driver with what every call on it needs: a turn, live truth, and faults for errors. */
export class LiveTable {
  readonly options: TableOptions;
  readonly idColumn: string;
  #table: LanceDb.Table;
  readonly #gate = new Gate(concurrentCommits);
  readonly #inFlight = new Set<Promise<unknown>>();
  #incarnation: string | undefined;
  #closed = false;

  constructor(options: TableOptions) {
    this.options = options;
    this.#table = options.table;
    this.idColumn = options.layout.find("id")?.name ?? "id";
    this.#incarnation = options.incarnation;
  }

  get table(): LanceDb.Table {
    return this.#table;
  }

  /**
   * Lets go of what the driver remembers of every version that it has seen, which grows with the square of the commits
   * (250 MB after 600 small ones). Calls in flight end on the table they began with.
   */
  async refresh(): Promise<void> {
    const old = this.#table;
    const users = [...this.#inFlight];
    this.#table = await this.options.reopen();
    void Promise.allSettled(users).then(() => old.close());
  }

  /** Runs a call of the driver in its turn. The signal only counts before it begins: nothing stops a native call. */
  async run<Result>(
    share: keyof typeof shares,
    verb: FailedCall["verb"],
    signal: AbortSignal,
    call: () => Promise<Result>,
  ): Promise<Result> {
    signal.throwIfAborted();
    const weight = shares[share];
    const leave = weight === 0 ? undefined : await this.#gate.enter(weight, signal);
    let running: Promise<Result> | undefined;
    try {
      if (this.#closed)
        throw new Fault("aborted", `The sink of ${this.options.address} is closed.`);
      running = call();
      this.#inFlight.add(running);
      return await running;
    } catch (error) {
      throw this.toFault(error, verb);
    } finally {
      if (running !== undefined) this.#inFlight.delete(running);
      leave?.();
    }
  }

  /** The schema as it is now. Rejects when the table is not the one that was opened. */
  async schema(): Promise<LiveSchema & { readonly ours: boolean }> {
    const { native, layout, address, dimension } = this.options;
    const schema = await this.#table.schema();
    const { marker, metric } = readMarks(schema, this.idColumn, address);
    const ours = metric !== undefined;
    const live = readSchema(native, layout, schema, ours);
    this.#incarnation ??= marker?.incarnation;
    if (live.dimension !== dimension || marker?.incarnation !== this.#incarnation) {
      throw new Fault(
        "sink.missing",
        `The collection ${address} was deleted and made anew since it was opened. Run again.`,
      );
    }
    return { ...live, ours };
  }

  /** From now on the table is the one with this marker. */
  marked(marker: CollectionMarker): void {
    this.options.seen.marker = marker;
    this.#incarnation = marker.incarnation;
  }

  toFault(error: unknown, verb: FailedCall["verb"]): unknown {
    const { address, folder } = this.options;
    return toFault(error, { verb, address, folder });
  }

  /** Waits for the calls in flight: the driver cannot close what it still uses. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#inFlight);
    this.#table.close();
  }
}
