import type { DatabaseSync } from "node:sqlite";
import type { Mutation } from "../contracts/index.ts";
import type { WalSync } from "../sqlite/index.ts";

interface PendingCommit {
  readonly mutations: readonly Mutation[];
  readonly durable: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupCommitOptions {
  readonly database: DatabaseSync;
  readonly log: WalSync;
  readonly apply: (mutation: Mutation) => void;
  /** Inside a transaction, before its first mutation: rejects when nothing may be written any more. */
  readonly guard: () => void;
  /** A transaction or a part of it was taken back. */
  readonly rolledBack: () => void;
  /** Turns an error into what the callers of `commit` see. */
  readonly faultOf: (error: unknown) => unknown;
}

/**
 * Groups the commits of one turn of the event loop into one transaction, and the durable ones of all turns that pass
 * during a sync into one sync. Each commit keeps a savepoint of its own: one that fails takes no other with it.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #pending: PendingCommit[] = [];
  #scheduled: NodeJS.Immediate | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  commit(mutations: readonly Mutation[], durable: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ mutations, durable, resolve, reject });
      this.#scheduled ??= setImmediate(() => this.flush());
    });
  }

  /** Applies everything pending, so that a read that follows sees it. */
  flush(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const group = this.#pending;
    if (group.length === 0) return;
    this.#pending = [];
    const applied = this.#transact(group);
    for (const commit of applied) if (!commit.durable) commit.resolve();
    const durable = applied.filter((commit) => commit.durable);
    if (durable.length > 0) void this.#sync(durable);
  }

  /** Applies what is pending, and resolves when all of it is durable. */
  async drain(): Promise<void> {
    this.flush();
    await this.#options.log.sync();
  }

  /** One transaction for the group. Returns the commits that took effect; the others are rejected. */
  #transact(group: readonly PendingCommit[]): PendingCommit[] {
    const { database, guard, rolledBack, faultOf } = this.#options;
    const applied: PendingCommit[] = [];
    const refused: { readonly commit: PendingCommit; readonly error: unknown }[] = [];
    try {
      database.exec("BEGIN IMMEDIATE");
      guard();
      for (const commit of group) {
        const error = this.#applyOne(commit);
        if (error === undefined) applied.push(commit);
        else refused.push({ commit, error });
      }
      database.exec("COMMIT");
    } catch (error) {
      tryExec(database, "ROLLBACK");
      rolledBack();
      for (const commit of group) commit.reject(faultOf(error));
      return [];
    }
    for (const { commit, error } of refused) commit.reject(faultOf(error));
    return applied;
  }

  #applyOne(commit: PendingCommit): unknown {
    const { database, apply, rolledBack } = this.#options;
    database.exec("SAVEPOINT one");
    try {
      for (const mutation of commit.mutations) apply(mutation);
      database.exec("RELEASE one");
      return undefined;
    } catch (error) {
      rolledBack();
      if (!tryExec(database, "ROLLBACK TO one; RELEASE one")) {
        // SQLite has ended the whole transaction (a full disk); so the group fails as a whole.
        throw error;
      }
      return error;
    }
  }

  async #sync(commits: readonly PendingCommit[]): Promise<void> {
    try {
      await this.#options.log.sync();
      for (const commit of commits) commit.resolve();
    } catch (error) {
      for (const commit of commits) commit.reject(this.#options.faultOf(error));
    }
  }
}

/** Takes back what is open; false when an error has ended it already. */
function tryExec(database: DatabaseSync, sql: string): boolean {
  try {
    database.exec(sql);
    return true;
  } catch {
    return false;
  }
}
