import { Worker } from "node:worker_threads";
import type { Answer, CloseRequest, LoadRequest, RunRequest } from "./protocol.ts";

/** A request before it has its number. */
export type Asked = Omit<LoadRequest, "id"> | Omit<RunRequest, "id"> | Omit<CloseRequest, "id">;

/** The thread ended, or was ended, before it answered. */
export class ThreadDied extends Error {
  override readonly name = "ThreadDied";
}

/** One worker thread, which holds one session. A run blocks it, and nobody else. */
export class ModelThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  readonly #ended = Promise.withResolvers<void>();
  #nextId = 1;
  #death: ThreadDied | undefined;

  /** `file` differs only in tests. */
  constructor(file: URL) {
    this.#worker = new Worker(file, { name: "sluice-model" });
    this.#worker.on("message", (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
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
    this.#worker.postMessage({ ...request, id }, [...transfer]);
    return waiting.promise;
  }

  /** Lets the run under way end, gives the model back and waits until the thread is gone. Never rejects. */
  async close(): Promise<void> {
    // Ending a thread from outside while the native library runs in it is not safe in every version.
    await this.ask({ kind: "close" }).catch(() => this.#worker.terminate());
    this.#death ??= new ThreadDied("It was closed.");
    await this.#ended.promise;
  }

  #die(message: string, cause?: unknown): void {
    this.#death ??= new ThreadDied(message, { cause });
    for (const { reject } of this.#waiting.values()) reject(this.#death);
    this.#waiting.clear();
  }
}
