import type { Sink, VectorRecord } from "../../src/contracts/index.ts";

/** A store as the benchmark needs it. */
export interface Store {
  readonly name: string;
  /** Records of one round of the comparison. */
  readonly recordsPerRound: number;
  /** How the SDK may be driven; the way that is fastest in a trial is the one compared with. */
  readonly ways: readonly Way[];
  /** The most that the process may take over 100,000 records, in megabytes. */
  readonly peakMb: number;
  /** What a reader of the row should know. */
  readonly remark?: string;
  /** Starts the server, or makes the folder. Rejects where that is not possible. */
  start(): Promise<Place>;
  /** The sink of a collection that does not exist yet. */
  makeSink(address: string, collection: string, more?: SinkKeys): Sink;
  /** Keys of the sink where only the memory of this process is measured, so that the server has less to do. */
  readonly forMemory?: SinkKeys;
  /** The official SDK on a collection that does not exist yet, as someone would drive it who knows it well. */
  openByHand(address: string, collection: string): Promise<ByHand>;
  /** Removes a collection, so that the next one finds the store as this one did. */
  drop(address: string, collection: string): Promise<void>;
}

/** More keys of a sink's configuration. */
export type SinkKeys = Readonly<Record<string, unknown>>;

/** How many records go into a write, and how many writes are under way at once. */
export interface Way {
  readonly recordsPerWrite: number;
  readonly concurrent: number;
}

/** Where a store is while it is measured. */
export interface Place extends AsyncDisposable {
  readonly address: string;
}

/** A store's own SDK on one collection. */
export interface ByHand {
  write(records: readonly VectorRecord[]): Promise<unknown>;
  /** All records that can be read. */
  count(): Promise<number>;
  close(): Promise<void>;
}
