import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/** Looks into state and cache from outside, as another process may. */
function look<T>(path: string, none: T, read: (database: DatabaseSync) => T): T {
  if (!existsSync(path)) return none;
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    return read(database);
  } catch (error) {
    // The file is there a moment before its tables are.
    if (error instanceof Error && error.message.includes("no such table")) return none;
    throw error;
  } finally {
    database.close();
  }
}

/** Every document that is begun and not settled, with its target and the ids that may be there. */
export function begunIn(state: string): ReadonlySet<string> {
  return look(state, new Set<string>(), (database) => {
    const rows = database
      .prepare(
        "SELECT d.id, t.target, hex(t.ids) AS ids FROM targets t JOIN documents d USING (document) WHERE t.settled = 0",
      )
      .all();
    return new Set(rows.map((row) => JSON.stringify([row["id"], row["target"], row["ids"]])));
  });
}

/** The records that the state says a sink holds of settled documents, and those that it may hold of any. */
export function recordsOf(
  state: string,
  sink: string,
): { readonly certain: ReadonlySet<string>; readonly possible: ReadonlySet<string> } {
  const found = { certain: new Set<string>(), possible: new Set<string>() };
  return look(state, found, (database) => {
    const rows = database
      .prepare(
        `SELECT t.settled, hex(t.ids) AS ids FROM targets t JOIN target_names n USING (target)
         WHERE n.info ->> 'sink' = ?`,
      )
      .all(sink);
    for (const { settled, ids } of rows) {
      for (const [digits] of String(ids).toLowerCase().matchAll(/.{32}/g)) {
        const id = digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
        found.possible.add(id);
        if (settled === 1) found.certain.add(id);
      }
    }
    return found;
  });
}

/** The ids of documents that are begun and not settled. */
export function begunDocuments(state: string): readonly string[] {
  const rows = [...begunIn(state)].map((row) => JSON.parse(row) as readonly [string]);
  return [...new Set(rows.map(([id]) => id))];
}

/** How many vectors an embedding cache holds. */
export function vectorsIn(cache: string): number {
  return look(cache, 0, (database) =>
    Number(database.prepare("SELECT count(*) AS count FROM entries").get()?.["count"]),
  );
}
