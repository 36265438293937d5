import type { PlaceMeasures } from "../../../../src/contracts/index.ts";
import { Fault } from "../../../../src/faults/index.ts";
import { raceAbort } from "../../../../src/flow/index.ts";
import { type Batch, flatten } from "./batch.ts";
import { Bounds } from "./bounds.ts";
import { ModelThread, ThreadDied } from "./model-thread.ts";
import type { DeviceKind, GraphModel } from "./options.ts";
import { batchFault, loadFault, sentence } from "./problem-fault.ts";
import type { Answer, Loaded, Vectors } from "./protocol.ts";
import { Tally } from "./tally.ts";

/** Batches that a device has at once: one runs, one waits in its thread. */
export const placeWindow = 2;
/** How often a batch is tried before the device is called broken. */
const attempts = 3;

export interface PlaceOptions {
  readonly kind: DeviceKind;
  readonly deviceId: number;
  /** As people see it: `cuda:0`. */
  readonly name: string;
  readonly model: GraphModel;
  readonly threads?: number;
  /** The file of the thread; another one only in tests. */
  readonly workerFile: URL;
  /** How long a thread may be silent that was asked to run or to close; another one only in tests. */
  readonly patienceMs?: number;
  /** Told of the end of a thread that opening does not wait for when it is aborted: loading cannot be broken off. */
  readonly abandon?: (ending: Promise<boolean>) => void;
}

/** One device with the model on it. Its thread is started again when it dies. */
export class Place {
  readonly name: string;
  readonly bounds: Bounds;
  readonly #options: PlaceOptions;
  #tally = new Tally();
  /** The thread, or the one that is being started; undefined when the last one died. */
  #thread: Promise<ModelThread> | undefined;
  /** Settles when the thread that died last is gone: true, or given up. */
  #gone = Promise.resolve(true);
  #inFlight = 0;
  #closed = false;

  private constructor(options: PlaceOptions, thread: ModelThread, loaded: Loaded) {
    this.name = options.name;
    this.#options = options;
    this.#thread = Promise.resolve(thread);
    this.bounds = new Bounds(options.model, options.kind, loaded);
  }

  /** Loads the model. Rejects with a fault that says why the device cannot be used. */
  static async open(options: PlaceOptions, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted();
    const { thread, loaded } = await startThread(options, signal);
    return new Place(options, thread, loaded);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Vectors of a batch, one after the other. Tries again when the thread dies or the device fails, with a fresh session.
   * Rejects with a fault; one of memory or numbers is the batch's.
   */
  async run(batch: Batch, signal: AbortSignal, tries = attempts): Promise<Float32Array> {
    this.#inFlight += 1;
    try {
      const { values, milliseconds } = await this.#repeat(batch, signal, tries);
      this.#tally.computed(batch, milliseconds);
      this.bounds.grow();
      return values;
    } catch (error) {
      if (error instanceof Fault && error.code !== "aborted") this.#tally.failed(error.code);
      throw error;
    } finally {
      this.#inFlight -= 1;
    }
  }

  measures(): PlaceMeasures {
    return this.#tally.measures({
      place: this.name,
      inFlight: this.#inFlight,
      window: placeWindow,
      batchTokens: this.bounds.cells,
      batchTexts: this.bounds.rows,
    });
  }

  /** From now on it is counted what it does: what it did so far was to prove itself. */
  beginCounting(): void {
    this.#tally = new Tally();
  }

  /**
   * Waits for the run under way, which cannot be broken off, but not for ever: false when something of it still runs. Never
   * rejects.
   */
  async close(): Promise<boolean> {
    this.#closed = true;
    const thread = await this.#thread?.catch(() => undefined);
    const isGone = (await thread?.close()) ?? true;
    return (await this.#gone) && isGone;
  }

  async #repeat(batch: Batch, signal: AbortSignal, tries: number): Promise<Vectors> {
    let reason = "";
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      if (this.#closed) throw closedFault();
      const starting = this.#thread ?? this.#start();
      const thread = await raceAbort(starting, signal);
      const outcome = await askToRun(thread, batch, signal);
      if (outcome instanceof ThreadDied) {
        reason = outcome.message;
      } else {
        if (outcome.kind === "vectors") return outcome;
        if (outcome.kind !== "failed") continue;
        const fault = batchFault(outcome, batch, this.name, this.#options.model);
        if (fault !== undefined) throw fault;
        reason = outcome.message;
      }
      // Whoever sees the end first makes room for the next one; a device may allow one session at a time.
      if (this.#thread !== starting) continue;
      this.#thread = undefined;
      this.#gone = thread.close();
    }
    if (this.#closed) throw closedFault();
    const times = tries === 1 ? "" : `, ${tries} times in a row`;
    throw new Fault(
      "embed.crashed",
      `The model failed on \`${this.name}\`${times}. ${sentence(reason)} Run again; if it stays so, lower ` +
        "`max_batch_tokens` or choose another `device`.",
    );
  }

  #start(): Promise<ModelThread> {
    const starting = (async () => {
      const isFree = await this.#gone;
      if (!isFree && this.#options.kind === "webgpu") throw hangingFault(this.name);
      const { thread } = await startThread(this.#options, new AbortController().signal);
      return thread;
    })();
    this.#thread = starting;
    // The next batch tries again.
    starting.catch(() => {
      if (this.#thread === starting) this.#thread = undefined;
    });
    return starting;
  }
}

/** Starts a thread and loads the model in it; leaves no thread when that fails. */
async function startThread(
  options: PlaceOptions,
  signal: AbortSignal,
): Promise<{ readonly thread: ModelThread; readonly loaded: Loaded }> {
  const { kind, deviceId, name, model, threads, workerFile } = options;
  const thread = new ModelThread(workerFile, options.patienceMs);
  const request = { kind: "load", model, device: kind, deviceId } as const;
  const asked = thread.ask(threads === undefined ? request : { ...request, threads });
  try {
    const answer = await raceAbort(asked, signal);
    if (answer.kind === "loaded") return { thread, loaded: answer };
    const message = "It gave no answer of this kind.";
    const failed = { id: 0, kind: "failed", problem: "run", message } as const;
    const shown = deviceId === 0 ? kind : name;
    throw loadFault(answer.kind === "failed" ? answer : failed, { kind, shown }, model);
  } catch (error) {
    const closing = thread.close();
    if (signal.aborted) options.abandon?.(closing);
    else await closing;
    if (!(error instanceof ThreadDied)) throw error;
    throw new Fault("embed.device", `The thread for \`${name}\` ended. ${error.message}`, {
      cause: error,
    });
  }
}

/** The thread's answer, or its death; rejects on abort, and the batch is then skipped if it has not begun. */
async function askToRun(
  thread: ModelThread,
  batch: Batch,
  signal: AbortSignal,
): Promise<Answer | ThreadDied> {
  signal.throwIfAborted();
  const { ids, lengths } = flatten(batch);
  const cancelled = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const asked = thread.ask({ kind: "run", ids, lengths, cancelled }, [ids.buffer, lengths.buffer]);
  try {
    return await raceAbort(asked, signal);
  } catch (error) {
    Atomics.store(cancelled, 0, 1);
    signal.throwIfAborted();
    if (error instanceof ThreadDied) return error;
    throw error;
  }
}

/** Two sessions of WebGPU that run at once end the process. */
function hangingFault(name: string): Fault {
  return new Fault(
    "embed.device",
    `\`${name}\` hangs, and cannot be used again in this process. Run again; if it stays so, update the driver or choose ` +
      "another `device`.",
  );
}

/** Why calls end when the embedder is closed. */
export function closedFault(): Fault {
  return new Fault("aborted", "The embedder was closed.");
}
