import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { probeTexts } from "../../src/engine/space.ts";
import type { EmbeddingBehaviour } from "../../src/testkit/embedding-behaviour.ts";
import { type EmbeddingServer, startEmbeddingServer } from "../../src/testkit/embedding-server.ts";
import { stubVector } from "../../src/testkit/embedding-vector.ts";
import { makePlace, type Place, serverEmbedder } from "./support/place.ts";
import { vectorsIn } from "./support/state-file.ts";
import { readIndex } from "./support/stored-index.ts";
import { sync } from "./support/sync.ts";

const probes: ReadonlySet<string> = new Set(probeTexts);

interface Scene {
  readonly server: EmbeddingServer;
  readonly place: Place;
  /** Runs, and expects that neither index nor cache has changed. */
  syncInVain(): ReturnType<typeof sync>;
  /** Runs against an honest server, and expects the index to hold the edited text. */
  recover(): Promise<void>;
}

/** Three documents in the index, one of them edited since. */
async function makeScene(...more: readonly string[]): Promise<Scene> {
  const server = await startEmbeddingServer();
  onTestFinished(() => server.close());
  const place = await makePlace({ embedder: serverEmbedder(server.url, ...more) });
  for (const name of ["one", "two", "three"]) await place.write(`${name}.md`, `Text ${name}.\n`);
  expect((await sync(place.file)).exitCode).toBe(0);
  await place.write("two.md", "Text two, edited.\n");
  await place.write("four.md", "Text four.\n");
  const cache = join(place.folder, "cache", "cache.sqlite");
  const before = { index: await readIndex(place.index, "search"), cached: vectorsIn(cache) };
  return {
    server,
    place,
    async syncInVain() {
      const result = await sync(place.file);
      expect(await readIndex(place.index, "search")).toStrictEqual(before.index);
      expect(vectorsIn(cache)).toBe(before.cached);
      return result;
    },
    async recover() {
      server.behave(undefined);
      const { exitCode, summary } = await sync(place.file);
      expect(exitCode).toBe(0);
      expect(summary).toMatchObject({ chunks: { embedded: 2 }, failures: [] });
      const texts = [...(await readIndex(place.index, "search")).values()].map(({ text }) => text);
      const wanted = ["Text four.", "Text one.", "Text three.", "Text two, edited."];
      expect(texts.toSorted()).toStrictEqual(wanted);
    },
  };
}

const wrongAnswers: readonly (readonly [string, EmbeddingBehaviour, code: string])[] = [
  ["too few vectors", { kind: "too-few" }, "embed.invalid"],
  ["too many vectors", { kind: "too-many" }, "embed.invalid"],
  ["vectors of another length", { kind: "wrong-length", dimension: 1000 }, "embed.invalid"],
  [
    "one vector of another length",
    { kind: "wrong-length", dimension: 512, only: 0 },
    "embed.invalid",
  ],
  ["NaN", { kind: "not-finite", number: "NaN" }, "embed.invalid"],
  ["null for a number", { kind: "not-finite", number: "null" }, "embed.invalid"],
  ["infinity in base64", { kind: "not-finite", number: "base64" }, "embed.invalid"],
  ["a login page", { kind: "html" }, "embed.invalid"],
  ["half an answer", { kind: "half" }, "embed.invalid"],
  ["an answer cut off", { kind: "cut-off" }, "embed.invalid"],
  ["two vectors of one index", { kind: "duplicate-index" }, "embed.invalid"],
  ["an inner error", { kind: "status", status: 500 }, "embed.failed"],
  ["a refused key", { kind: "status", status: 401 }, "embed.unauthorized"],
  ["an unknown model", { kind: "status", status: 404 }, "embed.not-found"],
  ["a busy server", { kind: "status", status: 429 }, "embed.rate-limited"],
];

describe("an embedding server that answers with", () => {
  test.each(wrongAnswers)("%s ends the run, and changes nothing", async (_, behaviour, code) => {
    const scene = await makeScene();
    scene.server.behave(behaviour);
    expect(await scene.syncInVain()).toMatchObject({
      exitCode: 5,
      summary: { status: "failed", error: { code } },
    });
    // Now only for documents: the run begins well.
    scene.server.behave(({ texts }) =>
      texts.every((text) => probes.has(text)) ? undefined : behaviour,
    );
    const { exitCode, summary } = await scene.syncInVain();
    expect({ exitCode, code: summary.error?.code }).toStrictEqual({ exitCode: 5, code });
    expect(summary.error?.message).not.toContain("Text");
    await scene.recover();
  });

  test("zeros for one text fails that document alone, which keeps its old version", async () => {
    const scene = await makeScene();
    scene.server.behave({ kind: "zero", word: "edited" });
    const { exitCode, summary } = await sync(scene.place.file);
    expect(exitCode).toBe(3);
    expect(summary).toMatchObject({
      status: "partial",
      documents: { added: 1, unchanged: 2, failed: 1 },
      failures: [{ document: "docs:two.md", stage: "embed", code: "embed.zero" }],
    });
    const texts = [...(await readIndex(scene.place.index, "search")).values()].map(
      ({ text }) => text,
    );
    const wanted = ["Text four.", "Text one.", "Text three.", "Text two."];
    expect(texts.toSorted()).toStrictEqual(wanted);
  });

  test("zeros for everything is refused before anything is written", async () => {
    const scene = await makeScene();
    scene.server.behave({ kind: "zero" });
    expect(await scene.syncInVain()).toMatchObject({
      exitCode: 5,
      summary: { error: { code: "embed.zero" } },
    });
    await scene.recover();
  });
});

describe("an embedding server that is", () => {
  test("down ends the run with what to check", async () => {
    const scene = await makeScene();
    await scene.server.close();
    const { exitCode, summary } = await scene.syncInVain();
    expect(exitCode).toBe(5);
    expect(summary.error).toMatchObject({ code: "embed.unreachable" });
    expect(summary.error?.message).toContain("127.0.0.1");
  });

  test("silent is given up after `timeout_ms`", async () => {
    const scene = await makeScene("timeout_ms: 150");
    scene.server.behave({ kind: "hang" });
    const { exitCode, summary } = await scene.syncInVain();
    expect({ exitCode, code: summary.error?.code }).toStrictEqual({
      exitCode: 5,
      code: "embed.timeout",
    });
    await scene.recover();
  });

  test("slow, but not too slow, is waited for", async () => {
    const scene = await makeScene("timeout_ms: 5000");
    scene.server.behave({ kind: "slow", ms: 100 });
    expect((await sync(scene.place.file)).exitCode).toBe(0);
  });

  test("down for a moment is asked again", async () => {
    const scene = await makeScene();
    scene.server.behave([{ kind: "reset" }, undefined, { kind: "status", status: 503 }, undefined]);
    expect((await sync(scene.place.file)).exitCode).toBe(0);
  });
});

describe("another model than yesterday", () => {
  test("behind the same name is refused by the probe, whatever memory of it is left", async () => {
    const scene = await makeScene();
    scene.server.behave({ kind: "other-model" });
    const { exitCode, summary } = await scene.syncInVain();
    expect({ exitCode, status: summary.status, code: summary.error?.code }).toStrictEqual({
      exitCode: 4,
      status: "refused",
      code: "refused.probe",
    });
    expect(summary.error?.message).toContain("Nothing was written");
    // Without state and cache only the collection's own marker remembers it.
    const set = ["state.path=other.sqlite", "cache.path=other-cache.sqlite"];
    const elsewhere = await sync(scene.place.file, {}, { set });
    expect(elsewhere).toMatchObject({ exitCode: 4, summary: { error: { code: "refused.probe" } } });
    // Without state and collection only the cache does.
    const again = ["state.path=third.sqlite", "sinks.search.uri=third"];
    const cached = await sync(scene.place.file, {}, { set: again });
    expect(cached).toMatchObject({ exitCode: 4, summary: { error: { code: "refused.probe" } } });
    await scene.recover();
  });

  test("in mid-run, under another name, ends the run, and nothing of it is kept", async () => {
    const scene = await makeScene();
    scene.server.behave(({ texts }) => {
      if (texts.every((text) => probes.has(text))) return undefined;
      const data = texts.map((text, index) => ({
        index,
        embedding: [...stubVector(text, 1024, "other")],
      }));
      return { kind: "body", body: JSON.stringify({ model: "other-model", data }) };
    });
    const { exitCode, summary } = await scene.syncInVain();
    expect({ exitCode, code: summary.error?.code }).toStrictEqual({
      exitCode: 5,
      code: "embed.invalid",
    });
    expect(summary.error?.message).toContain("`other-model`");
    expect(summary.failures).toEqual([]);
    await scene.recover();
  });

  test("in mid-run, after a connection was lost, is refused, and nothing of it is kept", async () => {
    const scene = await makeScene();
    let isOther = false;
    scene.server.behave(({ texts }) => {
      if (isOther) return { kind: "other-model" };
      isOther = !texts.every((text) => probes.has(text));
      return isOther ? { kind: "reset" } : undefined;
    });
    const { exitCode, summary } = await scene.syncInVain();
    expect({ exitCode, code: summary.error?.code }).toStrictEqual({
      exitCode: 4,
      code: "refused.probe",
    });
    expect(summary.failures).toEqual([]);
    await scene.recover();
  });

  test("under another name is another space, and never mixed into the collection", async () => {
    const scene = await makeScene();
    const set = [
      "embedder.model=other-model",
      "embedder.native_dimension=1024",
      "embedder.matryoshka=true",
    ];
    const { exitCode, summary } = await sync(scene.place.file, {}, { set });
    expect({ exitCode, code: summary.error?.code }).toStrictEqual({
      exitCode: 4,
      code: "refused.space",
    });
    expect(summary.error?.message).toContain("sluice forget --sink search");
    await scene.recover();
  });
});
