import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { DocumentKey, Mutation, RunRow, SourceRow } from "../contracts/index.ts";
import { assert } from "../faults/index.ts";
import type { Statements } from "../sqlite/index.ts";
import { maxRuns } from "./limits.ts";
import { packIds } from "./record-ids.ts";

type DocumentSet = Extract<Mutation, { kind: "document" }>["set"];
type Hold = Extract<Mutation, { kind: "begin" | "settle" }>;

/** Each field that a `document` mutation may set, its column, and what is stored in it. */
const columns: readonly (readonly [
  field: keyof DocumentSet,
  column: string,
  stored: (set: DocumentSet) => SQLInputValue,
])[] = [
  ["revision", "revision", (set) => set.revision ?? null],
  ["content", "content", (set) => set.content ?? ""],
  ["order", '"order"', (set) => set.order ?? null],
  ["seen", "seen", (set) => set.seen ?? 0],
  ["gone", "gone", (set) => Number(set.gone)],
  ["owed", "owed", (set) => Number(set.owed)],
  ["failure", "failure", (set) => (set.failure ? JSON.stringify(set.failure) : null)],
  ["counted", "session", (set) => set.counted?.session ?? 0],
  ["counted", "outcome", (set) => set.counted?.outcome ?? null],
];

/** Applies mutations to an open transaction. */
export class SqliteMutations {
  readonly #statements: Statements;
  /** Numbers of targets, as far as known; forgotten when a transaction is taken back. */
  readonly #targetNumbers = new Map<string, number>();

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  apply(mutation: Mutation): void {
    switch (mutation.kind) {
      case "document":
        return this.#setDocument(mutation.key, mutation.set);
      case "begin":
      case "settle":
        return this.#hold(mutation);
      case "clear":
        return this.#statements
          .of(clear)
          .run(mutation.target, mutation.key.source, mutation.key.id);
      case "forget":
        return this.#forget(mutation.key);
      case "source":
        return this.#setSource(mutation.row);
      case "forget-source":
        return this.#statements.of("DELETE FROM sources WHERE name = ?").run(mutation.name);
      case "rename-source":
        return this.#renameSource(mutation.from, mutation.to);
      case "target": {
        const number = this.#targetNumber(mutation.info.target);
        const update = this.#statements.of("UPDATE target_names SET info = ? WHERE target = ?");
        return update.run(JSON.stringify(mutation.info), number);
      }
      case "forget-target":
        return this.#forgetTarget(mutation.target);
      case "deletions":
        return this.#statements
          .of(countDeletions)
          .run(mutation.source, mutation.at, mutation.count);
      case "run":
        return this.#setRun(mutation.row);
      case "value":
        return this.#statements.of(setValue).run(mutation.key, JSON.stringify(mutation.value));
    }
  }

  #renameSource(from: string, to: string): void {
    const documents = this.#statements.of("UPDATE documents SET source = ? WHERE source = ?");
    documents.run(to, from);
    const deletions = this.#statements.of("UPDATE deletions SET source = ? WHERE source = ?");
    deletions.run(to, from);
    const row = "UPDATE sources SET name = ?1, row = json_set(row, '$.name', ?1) WHERE name = ?2";
    this.#statements.of(row).run(to, from);
  }

  /** A transaction was taken back: what it taught about targets is no longer so. */
  rolledBack(): void {
    this.#targetNumbers.clear();
  }

  #setDocument(key: DocumentKey, set: DocumentSet): void {
    assertKey(key);
    const names = ["source", "id"];
    const values: SQLInputValue[] = [key.source, key.id];
    for (const [field, column, stored] of columns) {
      if (!Object.hasOwn(set, field)) continue;
      names.push(column);
      values.push(stored(set));
    }
    this.#statements.of(upsertDocument(names)).run(...values);
  }

  #hold(mutation: Hold): void {
    const begun = mutation.kind === "begin";
    const document = this.#documentNumber(mutation.key, begun);
    const target = this.#targetNumber(mutation.target);
    const version = begun ? "" : mutation.version;
    const ids = packIds(mutation.ids);
    this.#statements.of(hold).run(document, target, begun ? 0 : 1, version, ids);
  }

  #documentNumber(key: DocumentKey, owed: boolean): number {
    assertKey(key);
    const known = this.#statements.of<{ document: number; owed: number }>(findDocument);
    const row = known.get(key.source, key.id);
    if (row && (!owed || row.owed === 1)) return row.document;
    this.#setDocument(key, owed ? { owed } : {});
    return row?.document ?? this.#documentNumber(key, owed);
  }

  #targetNumber(name: string): number {
    const known = this.#targetNumbers.get(name);
    if (known !== undefined) return known;
    this.#statements.of("INSERT OR IGNORE INTO target_names (name) VALUES (?)").run(name);
    const find = this.#statements.of<{ target: number }>(
      "SELECT target FROM target_names WHERE name = ?",
    );
    const target = find.get(name)?.target;
    assert(target !== undefined, "a target has no number");
    this.#targetNumbers.set(name, target);
    return target;
  }

  #forget(key: DocumentKey): void {
    const held = this.#statements.of<{ held: number }>(countHeld).get(key.source, key.id)?.held;
    assert(held === 0, `forgetting \`${key.id}\`, which ${held} targets still hold`);
    this.#statements
      .of("DELETE FROM documents WHERE source = ? AND id = ?")
      .run(key.source, key.id);
  }

  #setSource(row: SourceRow): void {
    this.#statements
      .of("INSERT INTO sources VALUES (?, ?) ON CONFLICT DO UPDATE SET row = excluded.row")
      .run(row.name, JSON.stringify(row));
  }

  #forgetTarget(target: string): void {
    this.#statements.of(`DELETE FROM targets WHERE target IN ${targetsNamed}`).run(target);
    this.#statements.of("DELETE FROM target_names WHERE name = ?").run(target);
    this.#targetNumbers.delete(target);
  }

  #setRun(row: RunRow): void {
    this.#statements
      .of(
        "INSERT INTO runs (id, row) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET row = excluded.row",
      )
      .run(row.id, JSON.stringify(row));
    this.#statements
      .of("DELETE FROM runs WHERE entry <= (SELECT max(entry) FROM runs) - ?")
      .run(maxRuns);
  }
}

/** Drops deletions that no guard's window reaches: over a week old, and not among the last thousand entries. */
export function pruneDeletions(database: DatabaseSync, now: number): void {
  database
    .prepare(
      "DELETE FROM deletions WHERE at < ? AND entry <= (SELECT max(entry) FROM deletions) - 1000",
    )
    .run(now - 7 * 24 * 3_600_000);
}

const targetsNamed = "(SELECT target FROM target_names WHERE name = ?)";
const findDocument = "SELECT document, owed FROM documents WHERE source = ? AND id = ?";
const hold = `INSERT INTO targets VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
  SET settled = excluded.settled, version = excluded.version, ids = excluded.ids`;
const clear = `DELETE FROM targets WHERE target IN ${targetsNamed}
  AND document = (SELECT document FROM documents WHERE source = ? AND id = ?)`;
const countHeld = `SELECT count(*) AS held FROM targets
  WHERE document = (SELECT document FROM documents WHERE source = ? AND id = ?)`;
const countDeletions = `INSERT INTO deletions (source, at, count) VALUES (?, ?, ?)
  ON CONFLICT (source, at) DO UPDATE SET count = count + excluded.count`;
const setValue = `INSERT INTO "values" VALUES (?, ?)
  ON CONFLICT DO UPDATE SET value = excluded.value`;

const upserts = new Map<string, string>();

function upsertDocument(names: readonly string[]): string {
  const list = names.join(", ");
  let sql = upserts.get(list);
  if (sql === undefined) {
    const changes = names.slice(2).map((name) => `${name} = excluded.${name}`);
    const action = changes.length > 0 ? `UPDATE SET ${changes.join(", ")}` : "NOTHING";
    sql = `INSERT INTO documents (${list}) VALUES (${names.map(() => "?").join(", ")})
      ON CONFLICT (source, id) DO ${action}`;
    upserts.set(list, sql);
  }
  return sql;
}

/** Lone surrogates would all be stored as one replacement character, and two documents become one. */
function assertKey(key: DocumentKey): void {
  assert(key.id.isWellFormed() && key.source.isWellFormed(), "a document id is not well-formed");
}
