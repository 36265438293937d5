import { Worker } from "node:worker_threads";
import type { Answer, CloseRequest, LoadRequest, RunRequest } from "./protocol.ts";

/** A request before it has its number. */
export type Asked = Omit<LoadRequest, "id"> | Omit<RunRequest, "id"> | Omit<CloseRequest, "id">;

/** The thread ended, or was ended, before it answered. */
export class ThreadDied extends Error {
  override readonly name = "ThreadDied";
}

/** A text as long as the model reads may take many minutes on a CPU; after an hour nothing comes any more. */
const usualPatienceMs = 3_600_000;
/** Whoever closes waits less. */
const closingPatienceMs = 60_000;

/** One worker thread, which holds one session. A run blocks it, and nobody else. */
export class ModelThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  readonly #ended = Promise.withResolvers<void>();
  #nextId = 1;
  #death: ThreadDied | undefined;
  #patienceMs: number;
  /** Until it has, or is closed, it has the usual time. */
  #hasLoaded = false;
  #timer: NodeJS.Timeout | undefined;
  #isAbandoned = false;

  /** `file` and `patienceMs` differ only in tests. */
  constructor(file: URL, patienceMs = usualPatienceMs) {
    this.#patienceMs = patienceMs;
    // A thread does not take the options of the process: some of them it would refuse.
    this.#worker = new Worker(file, { name: "sluice-model", execArgv: [] });
    this.#worker.on("message", (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      this.#hasLoaded = true;
      this.#watch();
      waiting?.resolve(answer);
    });
    this.#worker.on("error", (cause) => this.#die(`It threw: ${String(cause)}`, cause));
    this.#worker.on("messageerror", (cause) => this.#die("Its answer cannot be read.", cause));
    this.#worker.on("exit", (code) => {
      this.#die(`It ended with code ${code}.`);
      this.#ended.resolve();
    });
  }

  /** Resolves with the answer, also one of failure; rejects with `ThreadDied`. */
  ask(request: Asked, transfer: readonly ArrayBuffer[] = []): Promise<Answer> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    const id = this.#nextId;
    this.#nextId += 1;
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(id, waiting);
    if (this.#waiting.size === 1) this.#watch();
    this.#worker.postMessage({ ...request, id }, [...transfer]);
    return waiting.promise;
  }

  /**
   * Lets the run under way end, gives the model back and waits until the thread is gone: true, or is given up. Never
   * rejects.
   */
  async close(): Promise<boolean> {
    this.#patienceMs = Math.min(this.#patienceMs, closingPatienceMs);
    this.#hasLoaded = true;
    const closed = this.ask({ kind: "close" });
    this.#watch();
    // Ending a thread from outside while the native library runs in it is not safe in every version.
    await closed.catch(() => (this.#isAbandoned ? undefined : this.#worker.terminate()));
    this.#death ??= new ThreadDied("It was closed.");
    await this.#ended.promise;
    return !this.#isAbandoned;
  }

  /** From now on a silence is measured, as long as an answer is awaited. */
  #watch(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.size === 0) return;
    const patienceMs = this.#hasLoaded ? this.#patienceMs : usualPatienceMs;
    this.#timer = setTimeout(() => this.#abandon(patienceMs), patienceMs);
  }

  /** A native call that hangs cannot be ended: the thread is left to itself, and holds nobody up. */
  #abandon(patienceMs: number): void {
    this.#isAbandoned = true;
    this.#worker.unref();
    this.#die(`It gave no answer for ${Math.ceil(patienceMs / 1_000)} s.`);
    this.#ended.resolve();
  }

  #die(message: string, cause?: unknown): void {
    clearTimeout(this.#timer);
    this.#death ??= new ThreadDied(message, { cause });
    for (const { reject } of this.#waiting.values()) reject(this.#death);
    this.#waiting.clear();
  }
}
