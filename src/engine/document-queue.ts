import PQueue from "p-queue";

/** Waiting documents, besides those at work, before the source is held up. */
const waitingAtMost = 256;

type Task = () => Promise<void>;

/**
 * Runs tasks with a bound on how many at once, and one at a time for each document: a task offered while another of
 * the same document waits takes its place, since it knows something newer.
 */
export class DocumentQueue {
  readonly #queue: PQueue;
  readonly #entries = new Map<string, { waiting: Task | undefined }>();
  readonly #onError: (error: unknown) => void;
  readonly #outstanding = new Set<Promise<void>>();

  constructor(concurrency: number, onError: (error: unknown) => void) {
    this.#queue = new PQueue({ concurrency });
    this.#onError = onError;
  }

  /** Whether a task of this document runs or waits: what is known of it may be changing. */
  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** Runs the task after the one of the same document, if any. */
  add(id: string, task: Task): void {
    const busy = this.#entries.get(id);
    if (busy !== undefined) {
      busy.waiting = task;
      return;
    }
    this.#entries.set(id, { waiting: undefined });
    const done = this.#queue
      .add(() => this.#runAll(id, task))
      .finally(() => {
        this.#outstanding.delete(done);
      });
    this.#outstanding.add(done);
  }

  /** Resolves when there is room for more. */
  async room(): Promise<void> {
    if (this.#queue.size >= waitingAtMost) await this.#queue.onSizeLessThan(waitingAtMost);
  }

  /** Resolves when everything added before this call is done. */
  async settled(): Promise<void> {
    await Promise.all(this.#outstanding);
  }

  async #runAll(id: string, first: Task): Promise<void> {
    const entry = this.#entries.get(id);
    let task: Task | undefined = first;
    while (task !== undefined) {
      try {
        await task();
      } catch (error) {
        this.#onError(error);
      }
      task = entry?.waiting;
      if (entry !== undefined) entry.waiting = undefined;
    }
    this.#entries.delete(id);
  }
}
