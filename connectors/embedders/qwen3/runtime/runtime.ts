import type { ComponentNote, PlaceMeasures } from "../../../../src/contracts/index.ts";
import { assert, Fault } from "../../../../src/faults/index.ts";
import { Gate } from "../../../../src/flow/index.ts";
import { type Batch, batchOf, cellsOf } from "./batch.ts";
import { type Bounds, cutRuns } from "./bounds.ts";
import { openPlaces, type OpenedPlaces } from "./open-places.ts";
import type { GraphModel, RuntimeOptions } from "./options.ts";
import { closedFault, placeWindow } from "./place.ts";
import { PlacePool } from "./place-pool.ts";
import { workerFile } from "./worker-file.ts";

/** A model, loaded on one device or several, each with a worker thread of its own. */
export class Runtime {
  /** As `cuda:0`, `webgpu`, `cpu`. */
  readonly devices: readonly string[];
  /** Calls of `run` that keep every device busy: one runs, one waits in its thread. */
  readonly concurrency: number;
  readonly #model: GraphModel;
  readonly #opened: OpenedPlaces;
  readonly #pool: PlacePool;
  readonly #gate: Gate;
  /** Devices of one kind, so that what one has room for the others have too. */
  readonly #bounds: Bounds;
  #closing: Promise<void> | undefined;

  private constructor({ model, clock }: RuntimeOptions, opened: OpenedPlaces) {
    const [first] = opened.places;
    assert(first !== undefined, "A runtime without a device was opened.");
    this.#model = model;
    this.#opened = opened;
    this.#pool = new PlacePool(opened.places, clock);
    this.#bounds = first.bounds;
    this.devices = opened.places.map(({ name }) => name);
    this.concurrency = placeWindow * opened.places.length;
    this.#gate = new Gate(this.concurrency);
  }

  /** Loads the model and tests it. Rejects with a fault that says what to do. `file` differs only in tests. */
  static async open(
    options: RuntimeOptions,
    signal: AbortSignal,
    file: URL = workerFile,
  ): Promise<Runtime> {
    signal.throwIfAborted();
    return new Runtime(options, await openPlaces(options, file, signal));
  }

  /** Which device was chosen, why others were not, and which one fails. */
  notes(): readonly ComponentNote[] {
    return [...this.#opened.notes, ...this.#pool.notes()];
  }

  /**
   * Vectors in the order of the rows: the last token's, `hidden` long, normalised only where the graph does it. Rows of
   * like length belong together, since all are filled up to the longest. Rejects with a `document` fault where rows are at
   * fault, with a `component` fault where the device is, and at once on abort: a batch under way then ends unseen.
   */
  async run(rows: readonly Int32Array[], signal: AbortSignal): Promise<readonly Float32Array[]> {
    this.#check(rows);
    const vectors: Float32Array[] = [];
    if (rows.length === 0) return vectors;
    try {
      for (const indices of cutRuns(rows, this.#bounds)) {
        const part = indices.map((index) => at(rows, index));
        const computed = await this.#compute(part, signal);
        for (const [position, index] of indices.entries()) vectors[index] = at(computed, position);
      }
    } catch (error) {
      throw rows.length > 1 ? asOneOfSeveral(error) : error;
    }
    return vectors;
  }

  measures(): readonly PlaceMeasures[] {
    return this.#pool.measures();
  }

  /** Ends every thread. Never rejects; calls under way do. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    const gone = await Promise.all(this.#opened.places.map((place) => place.close()));
    if (!gone.includes(false)) this.#opened.release();
  }

  /** One run, or after too little memory two of half as many rows. */
  async #compute(
    rows: readonly Int32Array[],
    signal: AbortSignal,
  ): Promise<readonly Float32Array[]> {
    const batch = batchOf(rows);
    try {
      const values = await this.#run(batch, signal);
      const { hidden } = this.#model;
      return rows.map((_, index) => values.slice(index * hidden, (index + 1) * hidden));
    } catch (error) {
      const halves = error instanceof Fault && error.code === "embed.out-of-memory";
      if (!halves || rows.length === 1) throw error;
    }
    this.#bounds.shrink(cellsOf(batch));
    const middle = Math.ceil(rows.length / 2);
    const front = await this.#compute(rows.slice(0, middle), signal);
    return [...front, ...(await this.#compute(rows.slice(middle), signal))];
  }

  /** Waits for a turn. Those that waited when it was closed are refused at the device. */
  async #run(batch: Batch, signal: AbortSignal): Promise<Float32Array> {
    const leave = await this.#gate.enter(1, signal);
    try {
      return await this.#pool.run(batch, signal);
    } finally {
      leave();
    }
  }

  #check(rows: readonly Int32Array[]): void {
    if (this.#closing !== undefined) throw closedFault();
    const { vocabulary, file } = this.#model;
    for (const row of rows) {
      assert(row.length > 0, "A row without tokens has no vector.");
      const wrong = row.find((id) => id < 0 || id >= vocabulary);
      if (wrong === undefined) continue;
      throw new Fault(
        "embed.model",
        `The tokenizer gave the id ${wrong}, and the model of \`${file}\` knows ${vocabulary}: they do not belong ` +
          "together. Fetch both again with `sluice models pull`.",
      );
    }
  }
}

/** A fault of one text says `never`; among several, the caller has to find it. */
function asOneOfSeveral(error: unknown): unknown {
  if (!(error instanceof Fault) || error.scope !== "document" || error.retry === "smaller")
    return error;
  return new Fault(error.code, error.message, { retry: "smaller", cause: error });
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  assert(item !== undefined, "A row or its vector is missing.");
  return item;
}
