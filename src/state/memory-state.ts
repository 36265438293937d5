import type {
  DocumentKey,
  DocumentQuery,
  DocumentRow,
  Json,
  Mutation,
  RunRow,
  SourceRow,
  TargetInfo,
  TargetRow,
} from "../contracts/index.ts";
import { assert } from "../faults/index.ts";
import { compareKeys } from "./compare-keys.ts";
import { JournaledMap, UndoLog } from "./journaled-map.ts";

interface DeletionCount {
  readonly source: string;
  readonly at: number;
  readonly count: number;
}

/** What the memory store keeps of one pipeline. Rows are immutable; a change replaces them. */
export class MemoryState {
  readonly stateId = crypto.randomUUID();
  pipeline: string;
  fence = 0;
  /** Everything since the last durable commit, so that a loss of power can take it back. */
  readonly #undo = new UndoLog();
  readonly #documents = new JournaledMap<string, DocumentRow>(this.#undo);
  readonly #sources = new JournaledMap<string, SourceRow>(this.#undo);
  readonly #targets = new JournaledMap<string, TargetInfo>(this.#undo);
  readonly #deletions = new JournaledMap<string, DeletionCount>(this.#undo);
  readonly #runs = new JournaledMap<string, RunRow>(this.#undo);
  readonly #values = new JournaledMap<string, string>(this.#undo);

  constructor(pipeline: string) {
    this.pipeline = pipeline;
  }

  /** Applies all mutations or none. */
  commit(mutations: readonly Mutation[], durable: boolean): void {
    const mark = this.#undo.length;
    try {
      for (const mutation of mutations) this.#apply(mutation);
    } catch (error) {
      this.#undo.rollBack(mark);
      throw error;
    }
    if (durable) this.#undo.clear();
  }

  /** Takes back every commit that no durable commit followed. */
  losePower(): void {
    this.#undo.rollBack(0);
  }

  document(key: DocumentKey): DocumentRow | undefined {
    return this.#documents.get(keyText(key));
  }

  /** The documents of the query, sorted. */
  select(query: DocumentQuery): DocumentRow[] {
    const rows: DocumentRow[] = [];
    for (const row of this.#documents.values()) if (matches(query, row)) rows.push(row);
    return rows.toSorted(compareKeys);
  }

  count(query: DocumentQuery & { readonly indexed?: boolean }): number {
    let count = 0;
    for (const row of this.#documents.values()) {
      if (query.indexed !== undefined && query.indexed !== row.targets.size > 0) continue;
      if (matches(query, row)) count += 1;
    }
    return count;
  }

  sources(): SourceRow[] {
    return [...this.#sources.values()];
  }

  targets(): TargetInfo[] {
    return [...this.#targets.values()];
  }

  deletionsSince(source: string, at: number): number {
    let sum = 0;
    for (const entry of this.#deletions.values()) {
      if (entry.source === source && entry.at >= at) sum += entry.count;
    }
    return sum;
  }

  runs(limit: number): RunRow[] {
    return [...this.#runs.values()].toReversed().slice(0, limit);
  }

  value(key: string): Json | undefined {
    const text = this.#values.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as Json);
  }

  #apply(mutation: Mutation): void {
    switch (mutation.kind) {
      case "document":
        return this.#put({ ...this.#row(mutation.key), ...mutation.set });
      case "begin":
        return this.#hold(mutation, { status: "begun", version: "", ids: [...mutation.ids] });
      case "settle": {
        const { version, ids } = mutation;
        return this.#hold(mutation, { status: "settled", version, ids: [...ids] });
      }
      case "clear":
        return this.#release(mutation.key, mutation.target);
      case "forget":
        return this.#forget(mutation.key);
      case "source":
        return this.#sources.set(mutation.row.name, mutation.row);
      case "forget-source":
        return this.#sources.delete(mutation.name);
      case "rename-source":
        return this.#renameSource(mutation.from, mutation.to);
      case "target":
        return this.#targets.set(mutation.info.target, mutation.info);
      case "forget-target":
        return this.#forgetTarget(mutation.target);
      case "deletions":
        return this.#countDeletions(mutation);
      case "run":
        return this.#runs.set(mutation.row.id, mutation.row);
      case "value":
        return this.#values.set(mutation.key, JSON.stringify(mutation.value));
    }
  }

  #row(key: DocumentKey): DocumentRow {
    return this.document(key) ?? newRow(key);
  }

  #put(row: DocumentRow): void {
    this.#documents.set(keyText(row), row);
  }

  #hold(mutation: { kind: string; key: DocumentKey; target: string }, held: TargetRow): void {
    const row = this.#row(mutation.key);
    const targets = new Map(row.targets).set(mutation.target, held);
    this.#put({ ...row, owed: row.owed || mutation.kind === "begin", targets });
  }

  #release(key: DocumentKey, target: string): void {
    const row = this.document(key);
    if (!row?.targets.has(target)) return;
    const targets = new Map(row.targets);
    targets.delete(target);
    this.#put({ ...row, targets });
  }

  #forget(key: DocumentKey): void {
    const held = this.document(key)?.targets.size ?? 0;
    assert(held === 0, `forgetting \`${key.id}\`, which ${held} targets still hold`);
    this.#documents.delete(keyText(key));
  }

  #forgetTarget(target: string): void {
    this.#targets.delete(target);
    for (const row of this.#documents.values()) this.#release(row, target);
  }

  #renameSource(from: string, to: string): void {
    const row = this.#sources.get(from);
    if (row !== undefined) this.#sources.set(to, { ...row, name: to });
    this.#sources.delete(from);
    for (const document of this.#documents.values()) {
      if (document.source !== from) continue;
      this.#documents.delete(keyText(document));
      this.#put({ ...document, source: to });
    }
    for (const entry of this.#deletions.values()) {
      if (entry.source !== from) continue;
      this.#deletions.delete(`${entry.at} ${from}`);
      this.#countDeletions({ ...entry, source: to });
    }
  }

  #countDeletions(entry: DeletionCount): void {
    const key = `${entry.at} ${entry.source}`;
    const { source, at } = entry;
    const count = (this.#deletions.get(key)?.count ?? 0) + entry.count;
    this.#deletions.set(key, { source, at, count });
  }
}

function keyText(key: DocumentKey): string {
  return `${key.source.length} ${key.source}${key.id}`;
}

function newRow(key: DocumentKey): DocumentRow {
  return {
    source: key.source,
    id: key.id,
    revision: undefined,
    content: "",
    order: undefined,
    seen: 0,
    gone: false,
    owed: false,
    targets: new Map(),
    failure: undefined,
    counted: undefined,
  };
}

/** Whether a row fulfils every condition of the query. */
export function matches(query: DocumentQuery, row: DocumentRow): boolean {
  return (
    (query.source === undefined || row.source === query.source) &&
    (query.seenBefore === undefined || row.seen < query.seenBefore) &&
    (query.gone === undefined || row.gone === query.gone) &&
    (query.owed === undefined || row.owed === query.owed) &&
    (query.failed === undefined || (row.failure !== undefined) === query.failed) &&
    (query.target === undefined || row.targets.has(query.target))
  );
}
