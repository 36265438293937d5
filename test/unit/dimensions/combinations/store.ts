import * as fc from "fast-check";
import type { ConnectorContext, Metric, Sink } from "../../../../src/contracts/index.ts";
import { systemClock } from "../../../../src/flow/index.ts";

/** A kind of store, with what may be found there besides what sluice makes. */
export interface Store {
  /** What a counterexample calls it. */
  readonly [fc.toStringMethod]: () => string;
  /** Collections that another program makes, and whether float vectors can be written to them; `plain` is sluice's own. */
  readonly shapes: ReadonlyMap<string, boolean>;
  /** Of these shapes the store cannot tell the dimension while there are no vectors. */
  readonly forgetful?: ReadonlySet<string>;
  /** A place without a collection; each call gives another. */
  place(): Place;
}

/** Where one collection may be. */
export interface Place {
  connect(options: ConnectOptions): Sink;
  /** Makes the collection as another program would. */
  make(shape: string, dimension: number): Promise<void>;
  /** Everything that is there, marker included, read past sluice: equal as long as nothing is written. */
  image(): Promise<string>;
  /** All records, read past sluice. */
  stored(): Promise<readonly StoredVector[]>;
}

export interface ConnectOptions {
  readonly pipeline: string;
  readonly metric: Metric;
  readonly shape: string;
}

export interface StoredVector {
  readonly id: string;
  readonly pipeline: string;
  readonly text: string;
  readonly vector: readonly number[];
}

/** What a pipeline without declared fields tells its sinks. */
export function contextOf(pipeline: string, folder = "/"): ConnectorContext {
  return { name: "sink", pipeline, folder, clock: systemClock, fields: {} };
}

let names = 0;

/** A name that no other place of this process has. */
export function newName(): string {
  names += 1;
  return `place-${process.pid}-${names}`;
}
