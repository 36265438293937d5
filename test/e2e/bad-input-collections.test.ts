import { rmSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startEmbeddingServer } from "../../src/testkit/embedding-server.ts";
import { dimension, makePlace, type Place, serverEmbedder } from "./support/place.ts";
import { documentsIn, openDatabase, readIndex } from "./support/stored-index.ts";
import { sync } from "./support/sync.ts";

const documents = ["one.md", "two.md", "three.md"];

async function written(place: Place): Promise<Place> {
  for (const id of documents) await place.write(id, `What ${id} says.\n`);
  return place;
}

/** A run that is refused before it writes. */
async function refused(place: Place, set: readonly string[] = []) {
  const { exitCode, summary } = await sync(place.file, {}, { set });
  expect(exitCode).toBe(4);
  expect(summary).toMatchObject({ status: "refused", sinks: {} });
  return summary.error;
}

const otherState = ["state.path=other/state.sqlite"];

describe("a collection that somebody else made", () => {
  test("with other columns is refused by name of what is missing, and stays as it is", async () => {
    const place = await written(await makePlace());
    const database = await openDatabase(place.index);
    const rows = [{ key: "a", embedding: [1, 2, 3], note: "not ours" }];
    const table = await database.createTable("search", rows);
    const error = await refused(place);
    expect(error).toMatchObject({ code: "refused.schema" });
    expect(error?.message).toContain("No column `id`");
    expect(await table.countRows()).toBe(1);
    expect((await table.schema()).names).toStrictEqual(["key", "embedding", "note"]);
    database.close();
  });

  test("with records that nobody marked is refused, and stays as it is", async () => {
    const place = await written(await makePlace());
    expect((await sync(place.file)).exitCode).toBe(0);
    const rows = [...(await readIndex(place.index, "search")).values()];
    const database = await openDatabase(place.index);
    const table = await database.openTable("search");
    const copy = await database.createEmptyTable(
      "unmarked",
      await bareSchema(await table.schema()),
    );
    await copy.add(rows.map((row) => ({ ...row, vector: [...row.vector] })));
    const error = await refused(place, ["sinks.search.collection=unmarked", ...otherState]);
    expect(error).toMatchObject({ code: "refused.records" });
    expect(error?.message).toContain("holds 3 records but no marker of sluice");
    expect(await copy.countRows()).toBe(3);
    database.close();
  });

  test("that is no table at all is refused, and not touched", async () => {
    const place = await written(await makePlace());
    await mkdir(join(place.index, "search.lance"), { recursive: true });
    const note = join(place.index, "search.lance", "note.txt");
    await writeFile(note, "mine");
    const error = await refused(place);
    expect(error).toMatchObject({ code: "sink.foreign" });
    expect(error?.message).toContain("Choose another `uri` or `collection`");
    await rm(note);
    expect((await sync(place.file)).exitCode).toBe(0);
  });

  test("holds the records of two pipelines side by side, and none touches the other's", async () => {
    const place = await written(await makePlace());
    expect((await sync(place.file)).exitCode).toBe(0);
    const ours = await readIndex(place.index, "search");
    const set = ["name=manual", ...otherState];
    expect((await sync(place.file, {}, { set })).exitCode).toBe(0);
    const both = await readIndex(place.index, "search");
    expect(both.size).toBe(6);
    await rm(join(place.docs, "one.md"));
    expect((await sync(place.file, { allowDeletions: 1 }, { set })).exitCode).toBe(0);
    const left = await readIndex(place.index, "search");
    expect(left.size).toBe(5);
    for (const [id, row] of ours) expect(left.get(id)).toStrictEqual(row);
  });
});

/** The same columns without what sluice notes in them. */
async function bareSchema(schema: Awaited<ReturnType<import("@lancedb/lancedb").Table["schema"]>>) {
  const { Field, Schema } = await import("apache-arrow");
  return new Schema(
    schema.fields.map(({ name, type, nullable }) => new Field(name, type, nullable)),
  );
}

describe("a collection that was deleted", () => {
  test("between two runs is made again, and nothing is embedded again", async () => {
    const place = await written(await makePlace());
    await sync(place.file);
    const before = await readIndex(place.index, "search");
    await rm(place.index, { recursive: true });
    const { exitCode, summary } = await sync(place.file);
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({
      documents: { updated: 3 },
      chunks: { embedded: 0, cached: 3 },
    });
    expect(await readIndex(place.index, "search")).toStrictEqual(before);
  });

  test("and made again by another pipeline counts as empty", async () => {
    const place = await written(await makePlace());
    await sync(place.file);
    const before = await readIndex(place.index, "search");
    await rm(place.index, { recursive: true });
    await sync(place.file, {}, { set: ["name=manual", ...otherState] });
    expect(await sync(place.file)).toMatchObject({
      exitCode: 0,
      summary: { documents: { updated: 3 }, chunks: { embedded: 0 } },
    });
    const after = await readIndex(place.index, "search");
    expect(after.size).toBe(6);
    for (const [id, row] of before) expect(after.get(id)).toStrictEqual(row);
  });

  test("and made again by this pipeline with another state is refused, and stays as it is", async () => {
    const place = await written(await makePlace());
    await sync(place.file);
    await rm(place.index, { recursive: true });
    await sync(place.file, {}, { set: otherState });
    const before = await readIndex(place.index, "search");
    await place.write("one.md", "What one.md says now.\n");
    const error = await refused(place);
    expect(error).toMatchObject({ code: "refused.state" });
    expect(error?.message).toContain("sluice adopt --sink search");
    expect(await readIndex(place.index, "search")).toStrictEqual(before);
  });

  test("and made again with another dimension is refused, and stays as it is", async () => {
    const place = await written(await makePlace());
    await sync(place.file);
    await rm(place.index, { recursive: true });
    const half = `sinks.search.dimension=${dimension / 2}`;
    await sync(place.file, {}, { set: [half, "name=manual", ...otherState] });
    const before = await readIndex(place.index, "search");
    const error = await refused(place);
    expect(error).toMatchObject({ code: "refused.dimension" });
    expect(error?.message).toContain(`has dimension ${dimension / 2}`);
    expect(await readIndex(place.index, "search")).toStrictEqual(before);
  });

  test("while a run was at work ends the run, and the next one makes it again, whole", async () => {
    await using server = await startEmbeddingServer();
    const place = await written(
      await makePlace({
        embedder: serverEmbedder(server.url),
        more: ["limits: { documents: 1 }"],
      }),
    );
    expect((await sync(place.file)).exitCode).toBe(0);
    const before = await readIndex(place.index, "search");
    await place.write("one.md", "What one.md says now.\n");
    await place.write("two.md", "What two.md says now.\n");
    server.behave(({ texts }) => {
      if (texts.some((text) => text.includes("two.md says now"))) {
        rmSync(place.index, { recursive: true, force: true });
      }
      return undefined;
    });
    const { exitCode, summary } = await sync(place.file);
    expect(exitCode).toBe(5);
    expect(summary.status).toBe("failed");
    expect(summary.failures.map(({ code }) => code)).toContain("sink.missing");
    server.behave(undefined);
    server.reset();
    const healed = await sync(place.file);
    expect(healed).toMatchObject({ exitCode: 0, summary: { chunks: { embedded: 0 } } });
    expect(Object.keys(await documentsIn(place.index))).toHaveLength(before.size);
  });
});
