// Two tables as another program would have made them: with LanceDB's own library, empty, and without a marker.
import * as lancedb from "@lancedb/lancedb";
import { Field, FixedSizeList, Float16, Float32, List, Schema, Utf8 } from "apache-arrow";

const texts = ["document", "source", "pipeline", "fingerprint", "revision", "text", "title"];

function schemaOf(vector: FixedSizeList): Schema {
  return new Schema([
    new Field("id", new Utf8(), false),
    new Field("vector", vector, true),
    ...texts.map((name) => new Field(name, new Utf8(), true)),
    new Field("headings", new List(new Field("item", new Utf8(), true)), true),
  ]);
}

const database = await lancedb.connect(".sluice/index");
const halves = new FixedSizeList(512, new Field("item", new Float16(), true));
await database.createEmptyTable("halves", schemaOf(halves));
console.log("made `halves`: 512 numbers of float16");
const wide = new FixedSizeList(4096, new Field("item", new Float32(), true));
await database.createEmptyTable("wide", schemaOf(wide));
console.log("made `wide`: 4096 numbers");
database.close();
