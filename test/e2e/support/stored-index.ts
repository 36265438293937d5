import type * as LanceDb from "@lancedb/lancedb";

/** A stored record as another program sees it: every column, vectors as plain numbers. */
export type StoredRow = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly document: string;
  readonly vector: readonly number[];
};

/** The driver as a stranger would use it, silent; every read sees what was committed last. */
export async function openDatabase(folder: string): Promise<LanceDb.Connection> {
  process.env["LANCEDB_LOG"] ??= "off";
  const { connect } = await import("@lancedb/lancedb");
  return connect(folder, { readConsistencyInterval: 0 });
}

/** All records of a collection by id, read past sluice. Rejects when an id stands twice. */
export async function readIndex(
  folder: string,
  collection: string,
): Promise<ReadonlyMap<string, StoredRow>> {
  const database = await openDatabase(folder);
  const table = await database.openTable(collection);
  try {
    const rows: unknown[] = await table.query().toArray();
    const found = new Map<string, StoredRow>();
    for (const row of rows) {
      const plain = toPlain(row as object);
      if (found.has(plain.id)) throw new Error(`The record ${plain.id} is stored twice.`);
      found.set(plain.id, plain);
    }
    return new Map([...found].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  } finally {
    table.close();
    database.close();
  }
}

/** The ids of all records; none while there is no such collection. */
export async function idsIn(folder: string, collection: string): Promise<ReadonlySet<string>> {
  const database = await openDatabase(folder);
  try {
    if (!(await database.tableNames()).includes(collection)) return new Set();
    const table = await database.openTable(collection);
    const rows: unknown[] = await table.query().select(["id"]).toArray();
    table.close();
    return new Set(rows.map((row) => (row as { readonly id: string }).id));
  } finally {
    database.close();
  }
}

/** Record ids by document. */
export function idsByDocument(
  index: ReadonlyMap<string, StoredRow>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const byDocument = new Map<string, Set<string>>();
  for (const { id, document } of index.values()) {
    byDocument.set(document, (byDocument.get(document) ?? new Set()).add(id));
  }
  return byDocument;
}

/** The documents of a collection with how many records each has. */
export async function documentsIn(
  folder: string,
  collection = "search",
): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const { document } of (await readIndex(folder, collection)).values()) {
    counts[document] = (counts[document] ?? 0) + 1;
  }
  return counts;
}

function toPlain(row: object): StoredRow {
  const plain = Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, toPlainValue(value)]),
  );
  return plain as unknown as StoredRow;
}

function toPlainValue(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  return Symbol.iterator in value ? [...(value as Iterable<unknown>)] : value;
}
