import { Worker } from "node:worker_threads";
import { assert, Fault } from "../faults/index.ts";
import { raceAbort } from "../flow/index.ts";
import type { FromEncoder, ToEncoder, TokenizerFacts } from "./encoder-messages.ts";

// The built package has no TypeScript.
const workerUrl = import.meta.url.endsWith(".ts")
  ? new URL("./encoder-worker.ts", import.meta.url)
  : new URL("./encoder-worker.js", import.meta.url);

/** A thread that holds a tokenizer: reading its file takes a third of a second, and texts may be long. */
export class EncoderThread {
  readonly #path: string;
  readonly #worker: Worker;
  readonly #ready = Promise.withResolvers<TokenizerFacts>();
  readonly #calls = new Map<number, PromiseWithResolvers<readonly Int32Array[]>>();
  #lastCall = 0;
  #ended: Fault | undefined;

  private constructor(path: string) {
    this.#path = path;
    // A thread does not take the options of the process: some of them it would refuse.
    this.#worker = new Worker(workerUrl, { workerData: { path }, execArgv: [] });
    this.#worker.on("message", (message: FromEncoder) => this.#receive(message));
    this.#worker.on("error", (cause) => this.#end(died(path, cause)));
    this.#worker.on("exit", () => this.#end(died(path)));
    this.#ready.promise.catch(() => undefined);
  }

  /** Starts a thread and waits until it has read the file. */
  static async start(
    path: string,
    signal: AbortSignal,
  ): Promise<{ readonly thread: EncoderThread; readonly facts: TokenizerFacts }> {
    signal.throwIfAborted();
    const thread = new EncoderThread(path);
    try {
      return { thread, facts: await raceAbort(thread.#ready.promise, signal) };
    } catch (error) {
      await thread.close();
      throw error;
    }
  }

  /** Whether the thread has died, or was closed. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** The ids of each text, without the special tokens that the model adds. */
  async encode(texts: readonly string[], signal: AbortSignal): Promise<readonly Int32Array[]> {
    signal.throwIfAborted();
    if (this.#ended !== undefined) throw this.#ended;
    const call = (this.#lastCall += 1);
    const settle = Promise.withResolvers<readonly Int32Array[]>();
    this.#calls.set(call, settle);
    this.#worker.ref();
    this.#worker.postMessage({ call, texts } satisfies ToEncoder);
    return await raceAbort(settle.promise, signal);
  }

  /** Ends the thread; calls under way reject. Never rejects. */
  async close(): Promise<void> {
    this.#end(new Fault("aborted", "The tokenizer was closed."));
    await this.#worker.terminate().catch(() => undefined);
  }

  #receive(message: FromEncoder): void {
    if (message.kind === "encoded") {
      const settle = this.#calls.get(message.call);
      this.#calls.delete(message.call);
      if (this.#calls.size === 0) this.#worker.unref();
      settle?.resolve(split(message.ids, message.lengths));
      return;
    }
    this.#worker.unref();
    if (message.kind === "ready") this.#ready.resolve(message.facts);
    else this.#ready.reject(unreadable(this.#path, message.reason));
  }

  #end(fault: Fault): void {
    this.#ended ??= fault;
    this.#ready.reject(fault);
    for (const settle of this.#calls.values()) settle.reject(fault);
    this.#calls.clear();
  }
}

function split(ids: Int32Array, lengths: Int32Array): readonly Int32Array[] {
  const parts: Int32Array[] = [];
  let offset = 0;
  for (const length of lengths) {
    // Copies, or one text would keep the ids of all in memory.
    parts.push(ids.slice(offset, offset + length));
    offset += length;
  }
  assert(offset === ids.length, "The lengths of the encoded texts add up to their ids.");
  return parts;
}

function unreadable(path: string, reason: string): Fault {
  return new Fault(
    "embed.model",
    `The tokenizer \`${path}\` cannot be read: ${reason}. Expected the \`tokenizer.json\` of the model; fetch it again ` +
      "with `sluice models pull NAME`.",
  );
}

function died(path: string, cause?: unknown): Fault {
  return new Fault(
    "embed.failed",
    `The thread that tokenizes with \`${path}\` has died. The texts are tokenized again by another one.`,
    { cause },
  );
}
