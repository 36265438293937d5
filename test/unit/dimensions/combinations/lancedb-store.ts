import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type DataType,
  Field,
  FixedSizeList,
  Float16,
  Float32,
  Int32,
  Int8,
  List,
  Schema,
  Utf8,
} from "apache-arrow";
import * as fc from "fast-check";
import { lancedbSink } from "../../../../connectors/sinks/lancedb/index.ts";
import { openDatabase } from "../../../e2e/support/stored-index.ts";
import { contextOf, newName, type Store, type StoredVector } from "./store.ts";

const texts = [
  "document",
  "source",
  "pipeline",
  "fingerprint",
  "revision",
  "text",
  "title",
  "uri",
  "metadata",
];

const vectors: Readonly<Record<string, (dimension: number) => DataType>> = {
  float16: (dimension) => floats(dimension, new Float16()),
  int8: (dimension) => floats(dimension, new Int8()),
  multivector: (dimension) => new List(new Field("item", floats(dimension, new Float32()), true)),
};

/** The sink `lancedb` in a folder. */
export function lancedb(folder: string): Store {
  const index = join(folder, "index");
  return {
    [fc.toStringMethod]: () => "lancedb",
    shapes: new Map([
      ["plain", true],
      ["float16", true],
      ["int8", false],
      ["multivector", false],
    ]),
    place() {
      const collection = newName();
      return {
        connect({ pipeline, metric }) {
          const config = lancedbSink.config.parse({ uri: index, collection, create: { metric } });
          return lancedbSink.create(config, contextOf(pipeline, folder));
        },
        async make(shape, dimension) {
          const database = await openDatabase(index);
          const vector = vectors[shape]?.(dimension);
          if (vector === undefined) throw new RangeError(`There is no shape ${shape}.`);
          (await database.createEmptyTable(collection, schemaOf(vector))).close();
          database.close();
        },
        image: () => imageOf(join(index, `${collection}.lance`)),
        async stored() {
          const database = await openDatabase(index);
          const table = await database.openTable(collection);
          const rows: unknown[] = await table.query().toArray();
          table.close();
          database.close();
          return rows.map((row) => {
            const { id, pipeline, text, vector } = row as StoredVector;
            return { id, pipeline, text, vector: [...vector] };
          });
        },
      };
    },
  };
}

function floats(dimension: number, item: DataType): FixedSizeList {
  return new FixedSizeList(dimension, new Field("item", item, true));
}

function schemaOf(vector: DataType): Schema {
  return new Schema([
    new Field("id", new Utf8(), false),
    new Field("vector", vector, true),
    ...texts.map((name) => new Field(name, new Utf8(), true)),
    new Field("headings", new List(new Field("item", new Utf8(), true)), true),
    new Field("page", new Int32(), true),
  ]);
}

/** Names and hashes of all files of a table. */
async function imageOf(folder: string): Promise<string> {
  if (!existsSync(folder)) return "absent";
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const lines = entries
    .filter((entry) => entry.isFile())
    .map(async ({ parentPath, name }) => {
      const bytes = await readFile(join(parentPath, name));
      return `${join(parentPath, name)} ${createHash("sha256").update(bytes).digest("hex")}`;
    });
  return (await Promise.all(lines)).toSorted().join("\n");
}
