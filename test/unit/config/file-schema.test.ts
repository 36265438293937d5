import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { fileSchema } from "../../../src/config/index.ts";
import { fixtureCatalog, goodFile } from "./fixture-catalog.ts";
import { readText } from "./read-files.ts";

const schema = await fileSchema(fixtureCatalog());
const validator = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);

function accepts(text: string): boolean {
  return validator.safeParse(parse(text)).success;
}

const full = `${goodFile}chunker:
  type: structure
  max_tokens: 64
  overlap_tokens: 3
metadata: { date: timestamp, tags: list of string }
state: { type: sqlite, path: x.sqlite }
cache: { type: none }
limits:
  documents: 5
positions: true
`.replace(
  "root: ../docs",
  'root: x\n    metadata: { a: { b: [1, true] } }\n    parsers: { csv: { text: "{a}" } }\n    chunker: { type: whole }',
);

describe("the JSON Schema of the file", () => {
  test.each([
    ["a small file", goodFile],
    ["a full file", full],
    ["a variable for a number", full.replace("documents: 5", "documents: ${N:-5}")],
    ["a variable for a choice", full.replace("timestamp", '"${T:-timestamp}"')],
    ["a variable for a URL", goodFile.replace("http://localhost:30000/v1", '"${URL:-http://h}"')],
    [
      "a variable in a union",
      goodFile.replace("collection: handbook", "collection: c\n    dimension: ${D:-5}"),
    ],
    ["a variable in a connector", full.replace("max_tokens: 64", "max_tokens: ${M:-64}")],
  ])("accepts %s, as the reader does", async (_, text) => {
    expect((await readText(text)).told).toEqual([]);
    expect(accepts(text)).toBe(true);
  });

  test.each([
    ["an unknown key", `${goodFile}nam: x\n`],
    ["an unknown key of a connector", goodFile.replace("root:", "rot: x\n    root:")],
    ["a key of another connector", goodFile.replace("type: milvus", "type: milvus\n    uri: x")],
    ["an unknown type", goodFile.replace("type: milvus", "type: milvsu")],
    ["a missing key", goodFile.replace("    address: localhost:19530\n", "")],
    [
      "a wrong dimension",
      goodFile.replace("collection: handbook", "collection: c\n    dimension: 0"),
    ],
    ["a wrong name", goodFile.replace("  search:", "  Se arch:")],
    ["text for a number", full.replace("documents: 5", "documents: many")],
    ["a wrong setting of a parser", full.replace('text: "{a}"', "txt: a")],
    ["a wrong chunker of a source", full.replace("type: whole", "type: whole, x: 1")],
    ["no sinks", goodFile.replace(/sinks:[^]*/, "")],
  ])("refuses %s, as the reader does", async (_, text) => {
    expect((await readText(text)).told).not.toEqual([]);
    expect(accepts(text)).toBe(false);
  });

  test("lets a connector by path have any keys of its own", () => {
    const mine = goodFile.replace("type: milvus", "type: ./mine.ts\n    whatever: { a: 1 }");
    expect(accepts(mine)).toBe(true);
    expect(accepts(mine.replace("whatever:", "dimension: -1\n    whatever:"))).toBe(false);
  });

  test("describes every key, for editors", () => {
    const missing: string[] = [];
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== "object" || node === null) return;
      const { properties, ...rest } = node as { properties?: Record<string, object> };
      for (const [key, value] of Object.entries(properties ?? {})) {
        if (!("description" in value) && key !== "type" && !("$ref" in value)) {
          missing.push(`${path}.${key}`);
        }
        visit(value, `${path}.${key}`);
      }
      for (const [key, value] of Object.entries(rest)) visit(value, `${path}/${key}`);
    };
    visit(schema, "");
    expect(missing).toEqual([]);
  });

  test("shows none of our own marks", () => {
    expect(JSON.stringify(schema)).not.toMatch(/"(secret|operational)":/);
  });
});
