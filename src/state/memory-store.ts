import type {
  DocumentKey,
  DocumentQuery,
  DocumentRow,
  Json,
  Mutation,
  RunRow,
  SourceRow,
  StateSession,
  StateStore,
  TargetInfo,
} from "../contracts/index.ts";
import { assert, Fault } from "../faults/index.ts";
import { defaultPageSize, maxRuns } from "./limits.ts";
import { matches, MemoryState } from "./memory-state.ts";

/** A state store in memory: for pipelines without a past, and for simulations of crashes. */
export interface MemoryStateStore extends StateStore {
  /**
   * What the death of the process does: the writing session is dead and its lease free. `losePower` also takes back
   * the commits that were not durable and that no durable commit followed.
   */
  crash(options?: { readonly losePower?: boolean }): void;
}

/** Makes a store whose state lives as long as the returned object, across its sessions. */
export function memoryStateStore(): MemoryStateStore {
  let state: MemoryState | undefined;
  let writer: MemorySession | undefined;

  function openWrite(pipeline: string): StateSession {
    if (writer?.alive) throw new Fault("state.locked", lockedMessage(pipeline));
    state ??= new MemoryState(pipeline);
    state.pipeline = pipeline;
    state.fence += 1;
    writer = new MemorySession(state, true);
    return writer;
  }

  async function open(
    options: {
      readonly pipeline: string;
      readonly previously?: string;
      readonly mode: "read" | "write";
    },
    signal: AbortSignal,
  ): Promise<StateSession | undefined> {
    signal.throwIfAborted();
    if (state) refuseOther(state.pipeline, options);
    if (options.mode === "write") return openWrite(options.pipeline);
    return state && new MemorySession(state, false);
  }

  return {
    address: "memory",
    open: open as StateStore["open"],
    isHeld: async () => writer?.alive === true,
    crash({ losePower = false } = {}) {
      writer?.kill();
      if (losePower) state?.losePower();
    },
    async close() {
      await writer?.close();
    },
  };
}

function lockedMessage(pipeline: string): string {
  return `the state of pipeline \`${pipeline}\` is held by another run; wait for it, or stop it`;
}

function refuseOther(
  holder: string,
  options: { readonly pipeline: string; readonly previously?: string },
): void {
  if (holder === options.pipeline || holder === options.previously) return;
  throw new Fault(
    "state.foreign",
    `the state belongs to pipeline \`${holder}\`, not \`${options.pipeline}\`; ` +
      `after a rename say \`previously: ${holder}\``,
  );
}

class MemorySession implements StateSession {
  readonly stateId: string;
  readonly fence: number;
  readonly #state: MemoryState;
  readonly #writes: boolean;
  readonly #lost = new AbortController();
  #closed = false;

  constructor(state: MemoryState, writes: boolean) {
    this.#state = state;
    this.#writes = writes;
    this.stateId = state.stateId;
    this.fence = state.fence;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get alive(): boolean {
    return !this.#closed && !this.lost.aborted;
  }

  kill(): void {
    if (this.alive) this.#lost.abort(new Fault("state.lost", "the process holding it died"));
  }

  async lookup(keys: readonly DocumentKey[]): Promise<(DocumentRow | undefined)[]> {
    const state = this.#open();
    return keys.map((key) => state.document(key));
  }

  async commit(
    mutations: readonly Mutation[],
    { durable = true }: { readonly durable?: boolean } = {},
  ): Promise<void> {
    assert(this.#writes, "a reading session was asked to commit");
    this.#open().commit(mutations, durable);
  }

  async *pages(query: DocumentQuery): AsyncGenerator<readonly DocumentRow[]> {
    const state = this.#open();
    const wanted = state.select(query);
    const size = query.pageSize ?? defaultPageSize;
    for (let start = 0; start < wanted.length; start += size) {
      const keys = wanted.slice(start, start + size);
      const rows = this.#current(keys, query);
      if (rows.length > 0) yield rows;
    }
  }

  async count(query: DocumentQuery & { readonly indexed?: boolean }): Promise<number> {
    return this.#open().count(query);
  }

  async sources(): Promise<readonly SourceRow[]> {
    return this.#open().sources();
  }

  async targets(): Promise<readonly TargetInfo[]> {
    return this.#open().targets();
  }

  async deletionsSince(source: string, at: number): Promise<number> {
    return this.#open().deletionsSince(source, at);
  }

  async runs(limit: number): Promise<readonly RunRow[]> {
    return this.#open().runs(Math.min(limit, maxRuns));
  }

  async value(key: string): Promise<Json | undefined> {
    return this.#open().value(key);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #current(keys: readonly DocumentKey[], query: DocumentQuery): DocumentRow[] {
    const rows: DocumentRow[] = [];
    for (const key of keys) {
      const row = this.#open().document(key);
      if (row && matches(query, row)) rows.push(row);
    }
    return rows;
  }

  #open(): MemoryState {
    this.lost.throwIfAborted();
    if (this.#closed) throw new Fault("state.lost", "the state session is closed");
    return this.#state;
  }
}
