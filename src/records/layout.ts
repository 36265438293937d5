import { closest, distance } from "fastest-levenshtein";
import type { FieldType, Json, VectorRecord } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";

/** What a column holds, before any store has a say. */
export type ColumnType = FieldType | "vector" | "json";

/** A column that records of this pipeline have. */
export interface Column {
  /** The record's own name for it. */
  readonly field: string;
  /** The column's name in the table. */
  readonly name: string;
  readonly type: ColumnType;
  /** Every record has a value. */
  readonly required: boolean;
  readonly declared: boolean;
}

/** Which columns records have, after `fields` and `omit`. */
export interface Layout {
  readonly columns: readonly Column[];
  /** Names the layout; equal layouts store equal records alike. */
  readonly shape: string;
  /** The column of a field; undefined when it is omitted. */
  find(field: string): Column | undefined;
}

const fixed: Readonly<Record<string, ColumnType>> = {
  id: "string",
  vector: "vector",
  text: "string",
  document: "string",
  source: "string",
  title: "string",
  uri: "string",
  headings: "string_list",
  page: "integer",
  position: "integer",
  metadata: "json",
  pipeline: "string",
  fingerprint: "string",
  revision: "string",
};

/** Fields that every record keeps, because sluice could not find its own records again without them. */
export const keptFields: readonly string[] = [
  "id",
  "vector",
  "document",
  "source",
  "pipeline",
  "fingerprint",
  "revision",
];

/** What a sink's configuration says about its records. */
export interface LayoutOptions {
  /** The sink's name in the file. */
  readonly sink: string;
  /** Declared metadata fields. */
  readonly declared: Readonly<Record<string, FieldType>>;
  /** Other names in the store, by field. */
  readonly fields: Readonly<Record<string, string>>;
  readonly omit: readonly string[];
  /** What the store takes as a name; in words for the message. */
  readonly names: { readonly pattern: RegExp; readonly words: string };
}

/** Lays out the columns of one sink, or rejects with `config.invalid`. */
export function createLayout({ sink, declared, fields, omit, names }: LayoutOptions): Layout {
  const known = [...Object.keys(fixed), ...Object.keys(declared)];
  for (const name of Object.keys(declared)) {
    if (Object.hasOwn(fixed, name)) {
      throw invalid(sink, `\`metadata\` declares \`${name}\`, which is a field of every record.`);
    }
  }
  for (const name of Object.keys(fields)) checkKnown(sink, "fields", name, known);
  for (const name of omit) {
    checkKnown(sink, "omit", name, known);
    if (keptFields.includes(name)) {
      throw invalid(sink, `\`omit\` names \`${name}\`, which is always stored.`);
    }
  }
  const columns = known
    .filter((field) => !omit.includes(field))
    .map((field) => toColumn(field, fields[field] ?? field, declared[field]));
  checkNames(sink, columns, names);
  const shape = JSON.stringify(columns.map(({ field, name, type }) => [field, name, type]));
  const byField = new Map(columns.map((column) => [column.field, column]));
  return { columns, shape, find: (field) => byField.get(field) };
}

function toColumn(field: string, name: string, declaredType: FieldType | undefined): Column {
  const type = fixed[field] ?? declaredType ?? "string";
  const required = keptFields.includes(field) || field === "text";
  return { field, name, type, required, declared: declaredType !== undefined };
}

function checkKnown(sink: string, key: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  const near = closest(name, known);
  const hint =
    distance(name, near) <= 2 ? `did you mean \`${near}\`?` : `there are ${known.join(", ")}.`;
  throw invalid(sink, `\`${key}\` names \`${name}\`, which no record has; ${hint}`);
}

function checkNames(sink: string, columns: readonly Column[], names: LayoutOptions["names"]): void {
  const seen = new Map<string, string>();
  for (const { field, name } of columns) {
    if (!names.pattern.test(name)) {
      throw invalid(
        sink,
        `the store cannot name a column \`${name}\` (for \`${field}\`); use ${names.words}. Map it with \`fields\`.`,
      );
    }
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) {
      throw invalid(sink, `\`${other}\` and \`${field}\` would share the column \`${name}\`.`);
    }
    seen.set(name.toLowerCase(), field);
  }
}

function invalid(sink: string, problem: string): Fault {
  return new Fault("config.invalid", `Sink \`${sink}\`: ${problem}`);
}

/** The value that a record has for a column other than the vector; undefined when it has none. */
export function valueOf(record: VectorRecord, column: Column): Json | undefined {
  if (column.declared) return record.fields[column.field] ?? undefined;
  switch (column.field) {
    case "headings":
      return record.headings;
    case "metadata":
      return JSON.stringify(record.metadata);
    default:
      return (record as unknown as Readonly<Record<string, Json | undefined>>)[column.field];
  }
}
