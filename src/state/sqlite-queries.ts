import type { SQLInputValue } from "node:sqlite";
import type {
  CountedRow,
  DocumentKey,
  DocumentQuery,
  DocumentRow,
  FailureRow,
  TargetRow,
} from "../contracts/index.ts";
import type { Statements } from "../sqlite/index.ts";
import { unpackIds } from "./record-ids.ts";

/** One row of a document joined with one of its targets; the target's columns are null when it has none. */
interface JoinedRow {
  /** The key's place in a lookup, the document's number in a page: equal for the rows of one document. */
  readonly position: number;
  readonly revision: string | null;
  readonly content: string;
  readonly order: string | null;
  readonly seen: number;
  readonly gone: number;
  readonly owed: number;
  readonly failure: string | null;
  readonly session: number;
  readonly outcome: CountedRow["outcome"] | null;
  readonly target: number | null;
  readonly settled: number;
  readonly version: string;
  readonly ids: Uint8Array;
}

/** A row of a page, whose key is not known beforehand. */
interface PageRow extends JoinedRow, DocumentKey {}

const columns = `d.revision, d.content, d."order", d.seen, d.gone, d.owed, d.failure,
  d.session, d.outcome, t.target, t.settled, t.version, t.ids`;
const joinTargets = "LEFT JOIN targets t ON t.document = d.document";
const lookup = `SELECT key.key AS position, ${columns} FROM json_each(?) key
  CROSS JOIN documents d ON d.source = ? AND d.id = key.value ${joinTargets}`;

/** Parameters of one statement: SQLite parses a JSON array of this many keys at once. */
const keysPerStatement = 1_000;

/** Finds documents by key: one statement per source and thousand keys, not one per key. */
export function lookupDocuments(
  statements: Statements,
  keys: readonly DocumentKey[],
): (DocumentRow | undefined)[] {
  const found = Array.from<DocumentRow | undefined>({ length: keys.length });
  const statement = statements.of<JoinedRow>(lookup);
  for (const [source, positions] of positionsBySource(keys)) {
    for (let start = 0; start < positions.length; start += keysPerStatement) {
      const part = positions.slice(start, start + keysPerStatement);
      const rows = statement.all(JSON.stringify(part.map((at) => keys[at]?.id)), source);
      const names = rows.length > 0 ? targetNames(statements) : new Map<number, string>();
      for (const group of groups(rows)) {
        const at = part[group[0].position];
        const key = at === undefined ? undefined : keys[at];
        if (at !== undefined && key) found[at] = documentRow(key, group, names);
      }
    }
  }
  return found;
}

/** One page of the query after a key, in the order of keys. */
export function pageOfDocuments(
  statements: Statements,
  query: DocumentQuery,
  after: DocumentKey | undefined,
  size: number,
): DocumentRow[] {
  const { conditions, parameters } = where(query);
  if (after) {
    conditions.push("(d.source, d.id) > (?, ?)");
    parameters.push(after.source, after.id);
  }
  const rows = statements
    .of<PageRow>(
      `SELECT d.document AS position, d.source, d.id, ${columns} FROM (
         SELECT * FROM documents d ${clause(conditions)} ORDER BY d.source, d.id LIMIT ?
       ) d ${joinTargets} ORDER BY d.source, d.id`,
    )
    .all(...parameters, size);
  const names = targetNames(statements);
  return groups(rows).map((group) => documentRow(group[0], group, names));
}

/** Counts the documents of the query. */
export function countDocuments(
  statements: Statements,
  query: DocumentQuery & { readonly indexed?: boolean },
): number {
  const { conditions, parameters } = where(query);
  if (query.indexed !== undefined) {
    const held = "EXISTS (SELECT 1 FROM targets t WHERE t.document = d.document)";
    conditions.push(query.indexed ? held : `NOT ${held}`);
  }
  const sql = `SELECT count(*) AS count FROM documents d ${clause(conditions)}`;
  return statements.of<{ count: number }>(sql).get(...parameters)?.count ?? 0;
}

/** Flags are written out, not parameters: only then does SQLite use the partial indexes. */
function where(query: DocumentQuery): { conditions: string[]; parameters: SQLInputValue[] } {
  const conditions: string[] = [];
  const parameters: SQLInputValue[] = [];
  if (query.source !== undefined) {
    conditions.push("d.source = ?");
    parameters.push(query.source);
  }
  if (query.seenBefore !== undefined) {
    conditions.push("d.seen < ?");
    parameters.push(query.seenBefore);
  }
  if (query.gone !== undefined) conditions.push(`d.gone = ${Number(query.gone)}`);
  if (query.owed !== undefined) conditions.push(`d.owed = ${Number(query.owed)}`);
  if (query.failed !== undefined) {
    conditions.push(`d.failure IS ${query.failed ? "NOT NULL" : "NULL"}`);
  }
  if (query.target !== undefined) {
    conditions.push(`EXISTS (SELECT 1 FROM targets t JOIN target_names n USING (target)
      WHERE t.document = d.document AND n.name = ?)`);
    parameters.push(query.target);
  }
  return { conditions, parameters };
}

function clause(conditions: readonly string[]): string {
  return conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : "";
}

function positionsBySource(keys: readonly DocumentKey[]): Map<string, number[]> {
  const bySource = new Map<string, number[]>();
  for (const [position, key] of keys.entries()) {
    const positions = bySource.get(key.source);
    if (positions) positions.push(position);
    else bySource.set(key.source, [position]);
  }
  return bySource;
}

/** Read after the rows that name numbers; a number that is missing by then belongs to a target just forgotten. */
function targetNames(statements: Statements): Map<number, string> {
  const rows = statements
    .of<{ target: number; name: string }>("SELECT target, name FROM target_names")
    .all();
  return new Map(rows.map(({ target, name }) => [target, name]));
}

/** Neighbours of one position belong together: the targets of one document. */
function groups<Row extends JoinedRow>(rows: readonly Row[]): [Row, ...Row[]][] {
  const result: [Row, ...Row[]][] = [];
  let position: number | undefined;
  for (const row of rows) {
    if (row.position === position) result.at(-1)?.push(row);
    else result.push([row]);
    position = row.position;
  }
  return result;
}

function documentRow(
  key: DocumentKey,
  rows: readonly [JoinedRow, ...JoinedRow[]],
  names: ReadonlyMap<number, string>,
): DocumentRow {
  const [row] = rows;
  const targets = new Map<string, TargetRow>();
  for (const held of rows) {
    const name = held.target === null ? undefined : names.get(held.target);
    if (name === undefined) continue;
    const status = held.settled === 1 ? "settled" : "begun";
    targets.set(name, { status, version: held.version, ids: unpackIds(held.ids) });
  }
  return {
    source: key.source,
    id: key.id,
    revision: row.revision ?? undefined,
    content: row.content,
    order: row.order ?? undefined,
    seen: row.seen,
    gone: row.gone === 1,
    owed: row.owed === 1,
    targets,
    failure: row.failure === null ? undefined : (JSON.parse(row.failure) as FailureRow),
    counted: row.outcome === null ? undefined : { session: row.session, outcome: row.outcome },
  };
}
