import type { DatabaseSync } from "node:sqlite";
import type {
  DocumentKey,
  DocumentQuery,
  DocumentRow,
  Json,
  Mutation,
  RunRow,
  SourceRow,
  StateSession,
  TargetInfo,
} from "../contracts/index.ts";
import { assert, Fault } from "../faults/index.ts";
import { databaseFault, inodeOf, type Lease, type WalSync } from "../sqlite/index.ts";
import { GroupCommit } from "./group-commit.ts";
import { defaultPageSize } from "./limits.ts";
import { stateKind } from "./schema.ts";
import { SqliteMutations } from "./sqlite-mutations.ts";
import { SqliteReader } from "./sqlite-reader.ts";

/** What a writing session has besides a reading one. */
export interface Writing {
  readonly lease: Lease;
  readonly log: WalSync;
}

/** An open state file. Without `writing` it only reads. */
export class SqliteSession implements StateSession {
  readonly stateId: string;
  readonly fence: number;
  readonly #path: string;
  readonly #inode: number | undefined;
  readonly #database: DatabaseSync;
  readonly #reader: SqliteReader;
  readonly #writing: Writing | undefined;
  readonly #commits: GroupCommit | undefined;
  readonly #lost = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(database: DatabaseSync, path: string, writing?: Writing) {
    this.#database = database;
    this.#path = path;
    this.#inode = inodeOf(path);
    this.#reader = new SqliteReader(database);
    this.#writing = writing;
    this.stateId = String(this.#reader.meta("state_id"));
    this.fence = Number(this.#reader.meta("fence"));
    if (writing) this.#commits = this.#groupCommit(writing);
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async lookup(keys: readonly DocumentKey[]): Promise<(DocumentRow | undefined)[]> {
    return this.#read((reader) => reader.lookup(keys));
  }

  async commit(
    mutations: readonly Mutation[],
    { durable = true }: { readonly durable?: boolean } = {},
  ): Promise<void> {
    assert(this.#commits !== undefined, "a reading session was asked to commit");
    this.#refuseClosed();
    return this.#commits.commit(mutations, durable);
  }

  async *pages(query: DocumentQuery): AsyncGenerator<readonly DocumentRow[]> {
    const size = query.pageSize ?? defaultPageSize;
    assert(size > 0, "a page has at least one row");
    let after: DocumentKey | undefined;
    for (;;) {
      const rows = this.#read((reader) => reader.page(query, after, size));
      if (rows.length > 0) yield rows;
      if (rows.length < size) return;
      after = rows.at(-1);
    }
  }

  async count(query: DocumentQuery & { readonly indexed?: boolean }): Promise<number> {
    return this.#read((reader) => reader.count(query));
  }

  async sources(): Promise<readonly SourceRow[]> {
    return this.#read((reader) => reader.sources());
  }

  async targets(): Promise<readonly TargetInfo[]> {
    return this.#read((reader) => reader.targets());
  }

  async deletionsSince(source: string, at: number): Promise<number> {
    return this.#read((reader) => reader.deletionsSince(source, at));
  }

  async runs(limit: number): Promise<readonly RunRow[]> {
    return this.#read((reader) => reader.runs(limit));
  }

  async value(key: string): Promise<Json | undefined> {
    return this.#read((reader) => reader.value(key));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Callers who awaited their commits have lost nothing when the last sync fails. */
  async #close(): Promise<void> {
    try {
      await this.#commits?.drain();
      if (this.#writing && !this.lost.aborted) {
        this.#reader.statements.of("DELETE FROM meta WHERE key = 'holder'").run();
      }
    } catch {
      // The rejected commits have told their callers.
    } finally {
      await this.#writing?.log.close();
      this.#database.close();
      this.#writing?.lease.release();
    }
  }

  #read<Result>(read: (reader: SqliteReader) => Result): Result {
    this.#refuseClosed();
    this.#commits?.flush();
    try {
      return read(this.#reader);
    } catch (error) {
      throw databaseFault(error, stateKind, this.#path);
    }
  }

  #refuseClosed(): void {
    if (this.#closing) throw new Fault("state.lost", "the state session is closed");
  }

  #groupCommit({ lease, log }: Writing): GroupCommit {
    const mutations = new SqliteMutations(this.#reader.statements);
    return new GroupCommit({
      database: this.#database,
      log,
      apply: (mutation) => mutations.apply(mutation),
      rolledBack: () => mutations.rolledBack(),
      guard: () => this.#guard(lease),
      faultOf: (error) => databaseFault(error, stateKind, this.#path),
    });
  }

  /** Nothing is written once another session may write: the fence has moved, or a file was replaced beneath us. */
  #guard(lease: Lease): void {
    const moved = this.#reader.meta("fence") !== this.fence;
    const replaced = !lease.held || inodeOf(this.#path) !== this.#inode;
    if (moved || replaced) {
      const what = moved ? "another run has taken it over" : "it was deleted or replaced";
      const fault = new Fault(
        "state.lost",
        `the state file \`${this.#path}\` was lost during the run: ${what}; run again`,
      );
      this.#lost.abort(fault);
    }
    this.lost.throwIfAborted();
  }
}
