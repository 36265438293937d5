import { resolve } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { qwen3Embedder } from "../../connectors/embedders/qwen3/index.ts";
import type { Embedder } from "../../src/contracts/index.ts";
import { systemClock } from "../../src/flow/index.ts";
import { documents, Workplace } from "./cli/support/workplace.ts";
import { serveModel } from "./support/model-server.ts";
import { makePlace, type Place, pipelineText } from "./support/place.ts";
import { markdown, randomFrom } from "./support/prose.ts";
import { readIndex } from "./support/stored-index.ts";
import { sync } from "./support/sync.ts";

const folder = resolve("test/fixtures/tiny-qwen3");
/** A name of the family, so that its frame and its Matryoshka range are known in both embedders. */
const model = "our/qwen3-embedding-tiny";
const inProcess = ["type: qwen3", `model: ${model}`, `path: ${folder}`];
const sinks = { full: 64, small: 32 };
/** One chunk a document, however its tokens are counted. */
const more = ["chunker: { type: whole, max_tokens: 400 }"];

function tinyEmbedder(): Embedder {
  const config = { model, path: folder, device: "cpu", threads: 1 };
  const context = { name: "embedder", pipeline: "test", folder, clock: systemClock, fields: {} };
  const embedder = qwen3Embedder.create(qwen3Embedder.config.parse(config), context);
  onTestFinished(() => embedder.close());
  return embedder;
}

async function filled(embedder: readonly string[]): Promise<Place> {
  const place = await makePlace({ embedder, sinks, more });
  const random = randomFrom(5);
  for (let page = 0; page < 12; page += 1) {
    const text = markdown(random, 1).slice(0, 50 + page * 50);
    await place.write(`page-${page}.md`, text);
  }
  const { summary, exitCode } = await sync(place.file);
  expect(summary.error).toBeUndefined();
  expect(summary).toMatchObject({ status: "succeeded", documents: { added: 12 } });
  expect(exitCode).toBe(0);
  return place;
}

describe("one pipeline file", () => {
  it("runs with the model in process, on a server and with no model by three other lines, with equal vectors of the first two", async () => {
    const url = await serveModel(tinyEmbedder());
    const onServer = ["type: openai", `model: ${model}`, `url: ${url}`];
    const words = ["type: lexical", "native_dimension: 64", ""];
    const lines = [inProcess, onServer, words].map((embedder) =>
      pipelineText({ embedder, sinks, more }).split("\n"),
    );
    const [first = []] = lines;
    for (const other of lines) {
      expect(other.filter((line, at) => line !== first[at]).length).toBeLessThanOrEqual(3);
      expect(other.length).toBe(first.length);
    }
    const own = await filled(inProcess);
    const served = await filled(onServer);
    const matched = await filled(words);
    for (const [sink, dimension] of Object.entries(sinks)) {
      const left = await readIndex(own.index, sink);
      const right = await readIndex(served.index, sink);
      expect([...left.keys()]).toEqual([...right.keys()]);
      expect(left.size).toBeGreaterThan(10);
      for (const [id, { vector }] of left) {
        expect(vector.length).toBe(dimension);
        expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
        const other = right.get(id)?.vector ?? [];
        for (const [at, value] of vector.entries()) expect(value).toBeCloseTo(other[at] ?? 9, 5);
      }
      expect((await readIndex(matched.index, sink)).size).toBe(left.size);
    }
  }, 60_000);

  it("finds nothing to do in a second run, and refuses another graph in the same collection", async () => {
    const place = await filled(inProcess);
    expect((await sync(place.file)).summary).toMatchObject({
      documents: { unchanged: 12 },
      chunks: { embedded: 0 },
    });
    await place.configure({ embedder: [...inProcess, "file: onnx/model_q8.onnx"], sinks, more });
    const { summary, exitCode } = await sync(place.file);
    expect(exitCode).toBe(4);
    expect(summary.error).toMatchObject({ code: "refused.space" });
  }, 60_000);

  it("marks the records of texts that were cut, also when their vectors come from the cache", async () => {
    const split = [...inProcess, "oversize: split"];
    const place = await makePlace({ embedder: split, more: ["chunker: { type: whole }"] });
    const long = `${"One sentence of several words. ".repeat(200)}\n`;
    await place.write("long.md", long);
    await place.write("short.md", "Two words.\n");
    expect((await sync(place.file)).exitCode).toBe(0);
    await place.write("copy.md", long);
    const { summary } = await sync(place.file);
    expect(summary.chunks).toMatchObject({ embedded: 0, cached: 1 });
    const parts = new Map<string, unknown>();
    for (const { document, metadata } of (await readIndex(place.index, "search")).values()) {
      parts.set(
        document,
        (JSON.parse(String(metadata)) as Record<string, unknown>)["embedding_parts"],
      );
    }
    expect(parts.get("docs:long.md")).toBeGreaterThan(2);
    expect(parts.get("docs:copy.md")).toBe(parts.get("docs:long.md"));
    expect(parts.get("docs:short.md")).toBeUndefined();
  }, 60_000);
});

describe("the command line with a model in process", () => {
  const pipeline = `
name: handbook
sources:
  docs: { type: files, root: docs }
embedder: { type: qwen3, model: ${model}, path: ${JSON.stringify(folder)}, device: cpu }
chunker: { type: structure, max_tokens: 400 }
sinks:
  search: { type: lancedb, uri: .sluice/index, collection: handbook, dimension: 48 }
`;

  it("runs, finds, verifies and tells its device", async () => {
    await using place = await Workplace.make({ "sluice.yaml": pipeline, ...documents(5) });
    const run = await place.sluice("run", "--json");
    expect(run.json()).toMatchObject({ status: "succeeded", documents: { added: 5 } });
    const query = await place.sluice("query", "This page tells of topic3.", "--json");
    const { hits } = query.json<{ readonly hits: readonly { readonly document: string }[] }>();
    expect(hits.length).toBeGreaterThan(0);
    const verify = await place.sluice("verify", "--json");
    expect(verify.json()).toMatchObject({ sinks: { search: { expected: 5, present: 5 } } });
    const doctor = await place.sluice("doctor");
    expect(doctor.stdout).toContain("cpu");
    expect([run.code, query.code, verify.code, doctor.code]).toEqual([0, 0, 0, 0]);
  }, 60_000);

  it("says what to do when the model was not pulled", async () => {
    const missing = pipeline.replace(/, path: [^,]+/, "");
    await using place = await Workplace.make(
      { "sluice.yaml": missing, ...documents(1) },
      { XDG_CACHE_HOME: "/nowhere" },
    );
    const { code, stderr } = await place.sluice("run");
    expect(stderr).toContain(`sluice models pull ${model}`);
    expect(stderr).toContain("/nowhere/sluice/models/our--qwen3-embedding-tiny");
    expect(code).not.toBe(0);
  }, 30_000);
});
