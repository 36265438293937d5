import type { DatabaseSync } from "node:sqlite";
import type {
  DocumentKey,
  DocumentQuery,
  DocumentRow,
  Json,
  RunRow,
  SourceRow,
  TargetInfo,
} from "../contracts/index.ts";
import { Statements } from "../sqlite/index.ts";
import { maxRuns } from "./limits.ts";
import { countDocuments, lookupDocuments, pageOfDocuments } from "./sqlite-queries.ts";

/** Everything that can be read from an open state file, synchronously. */
export class SqliteReader {
  readonly statements: Statements;

  constructor(database: DatabaseSync) {
    this.statements = new Statements(database);
  }

  /** A value of the file itself: its pipeline, its id, its fence. */
  meta(key: string): string | number | undefined {
    return this.statements
      .of<{ value: string | number }>("SELECT value FROM meta WHERE key = ?")
      .get(key)?.value;
  }

  lookup(keys: readonly DocumentKey[]): (DocumentRow | undefined)[] {
    return lookupDocuments(this.statements, keys);
  }

  page(query: DocumentQuery, after: DocumentKey | undefined, size: number): DocumentRow[] {
    return pageOfDocuments(this.statements, query, after, size);
  }

  count(query: DocumentQuery & { readonly indexed?: boolean }): number {
    return countDocuments(this.statements, query);
  }

  sources(): SourceRow[] {
    const rows = this.statements.of<{ row: string }>("SELECT row FROM sources ORDER BY name").all();
    return rows.map(({ row }) => sourceRow(JSON.parse(row) as SourceRow));
  }

  targets(): TargetInfo[] {
    const rows = this.statements
      .of<{ info: string }>("SELECT info FROM target_names WHERE info IS NOT NULL ORDER BY name")
      .all();
    return rows.map(({ info }) => JSON.parse(info) as TargetInfo);
  }

  deletionsSince(source: string, at: number): number {
    return (
      this.statements
        .of<{ sum: number | null }>(
          "SELECT sum(count) AS sum FROM deletions WHERE source = ? AND at >= ?",
        )
        .get(source, at)?.sum ?? 0
    );
  }

  runs(limit: number): RunRow[] {
    const rows = this.statements
      .of<{ row: string }>("SELECT row FROM runs ORDER BY entry DESC LIMIT ?")
      .all(Math.min(limit, maxRuns));
    return rows.map(({ row }) => runRow(JSON.parse(row) as RunRow));
  }

  value(key: string): Json | undefined {
    const row = this.statements
      .of<{ value: string }>('SELECT value FROM "values" WHERE key = ?')
      .get(key);
    return row && (JSON.parse(row.value) as Json);
  }
}

/** JSON leaves out what is undefined; the row has it. */
function sourceRow(stored: SourceRow): SourceRow {
  return { ...stored, cursor: stored.cursor, completeAt: stored.completeAt };
}

function runRow(stored: RunRow): RunRow {
  return { ...stored, endedAt: stored.endedAt, summary: stored.summary };
}
