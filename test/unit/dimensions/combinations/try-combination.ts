import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { memoryCache } from "../../../../src/cache/index.ts";
import type { Clock, Embedder, Sink } from "../../../../src/contracts/index.ts";
import {
  closePipeline,
  defaultPolicy,
  type Pipeline,
  run,
  type RunResult,
} from "../../../../src/engine/index.ts";
import { systemClock } from "../../../../src/flow/index.ts";
import { memoryStateStore } from "../../../../src/state/index.ts";
import {
  createFakeChunker,
  createFakeEmbedder,
  createFakeParser,
  createFakeSource,
  FakeFolder,
} from "../../../../src/testkit/index.ts";
import { makeRecord, toUpsert } from "../../../../src/testkit/sink-harness.ts";
import {
  type Combination,
  expectedLength,
  type History,
  type ModelCase,
  type SinkCase,
} from "./combination.ts";
import type { Place } from "./store.ts";

const { signal } = new AbortController();
const pipelineName = "tried";

/** A sink of a combination, and where its collection is or will be. */
interface Found {
  readonly sink: SinkCase;
  readonly place: Place;
}

/**
 * Sets a combination up, runs the engine on it, and fails unless every vector written is of the collection's length,
 * normalised, and in the one space of the collection; or everything is as it was. Tells which of the two.
 */
export async function tryCombination(
  { model, sinks }: Combination,
  clock: Clock = systemClock,
): Promise<"written" | "refused"> {
  const found: Found[] = [];
  for (const sink of sinks) {
    const place = sink.store.place();
    await prepare(place, sink, model, clock);
    found.push({ sink, place });
  }
  const images = await Promise.all(found.map(({ place }) => place.image()));
  const folder = folderOf("It rains.", "The sluice is open.");
  const parts = pipelineOf(pipelineName, model, folder, found);
  try {
    const result = await run(parts, { clock });
    const lengths = found.map(({ sink }) => expectedLength(model, sink));
    if (lengths.includes(undefined)) {
      expectRefused(result);
      expect(await Promise.all(found.map(({ place }) => place.image()))).toEqual(images);
      return "refused";
    }
    await expectWritten(result, model, found, 2);
    // What was decided is remembered: from now on the collection says it, and the file need not.
    folder.put("third", "Water finds its way.");
    const sinkParts = [...parts.sinks].map(([name, sink]) => {
      return [name, { ...sink, dimension: "auto" as const }] as const;
    });
    const auto = { ...parts, sinks: new Map(sinkParts) };
    await expectWritten(await run(auto, { clock }), model, found, 3);
    return "written";
  } finally {
    await closePipeline(parts);
  }
}

function expectRefused({ summary, exitCode }: RunResult): void {
  expect(summary.error?.code).toMatch(/^refused\./);
  expect(summary.error?.message).toContain("Nothing was written.");
  expect(exitCode).toBe(4);
}

async function expectWritten(
  { summary, exitCode }: RunResult,
  model: ModelCase,
  found: readonly Found[],
  count: number,
): Promise<void> {
  expect(summary.error).toBeUndefined();
  expect(exitCode).toBe(0);
  const embedder = embedderOf(model);
  for (const { sink, place } of found) {
    const length = expectedLength(model, sink);
    const stored = await place.stored();
    const own = stored.filter(({ pipeline }) => pipeline === pipelineName);
    expect(own).toHaveLength(count);
    // Of all that is there, whoever wrote it: one length, one space.
    for (const { text, vector } of stored) {
      expect(vector).toHaveLength(length ?? Number.NaN);
      expect(Math.abs(Math.hypot(...vector) - 1)).toBeLessThan(2e-3);
      const { vectors } = await embedder.embed([text], "document", signal);
      const native = [...(vectors[0] ?? [])];
      expect(cosine(vector, native.slice(0, length))).toBeGreaterThan(0.999);
    }
  }
}

function cosine(one: readonly number[], other: readonly number[]): number {
  const dot = one.reduce((sum, value, index) => sum + value * (other[index] ?? Number.NaN), 0);
  return dot / (Math.hypot(...one) * Math.hypot(...other));
}

/** Makes what is there before the run. */
async function prepare(
  place: Place,
  sink: SinkCase,
  model: ModelCase,
  clock: Clock,
): Promise<void> {
  const { live, metric } = sink;
  if (live === undefined) return;
  const { dimension, shape, history } = live;
  const options = { pipeline: "stranger", metric, shape };
  if (shape !== "plain") await place.make(shape, dimension);
  if (history === "empty" || history === "nobodys") {
    const stranger = place.connect(options);
    if (shape === "plain") await stranger.create({ dimension, metric, fields: {} }, signal);
    if (history === "nobodys") await writeOne(stranger, dimension);
    await stranger.close();
    return;
  }
  const before = { ...sink, configured: dimension };
  const folder = folderOf("Rain came before.");
  const writer = writerOf(history, model);
  const neighbour = pipelineOf("neighbour", writer, folder, [{ sink: before, place }]);
  expect((await run(neighbour, { clock })).exitCode).toBe(0);
  await closePipeline(neighbour);
}

async function writeOne(sink: Sink, dimension: number): Promise<void> {
  const collection = await sink.open(signal, dimension);
  const record = { ...makeRecord(1, dimension), pipeline: "stranger", id: recordId(), fields: {} };
  const { visible } = await collection.write([toUpsert(record)], signal);
  if (visible !== undefined) await collection.waitVisible?.(visible, signal);
}

function recordId(): string {
  return randomUUID().replace(/^(.{14})./, "$18");
}

/** The model that filled a collection. */
function writerOf(history: History, model: ModelCase): ModelCase {
  const wide = { native: 64, min: 2, matryoshka: true };
  if (history === "other-model") return { ...model, ...wide, id: "another" };
  if (history === "other-prompt") return { ...model, ...wide, prompt: "passage: " };
  return history === "swapped" ? { ...model, weights: "second" } : model;
}

function folderOf(...texts: readonly string[]): FakeFolder {
  const folder = new FakeFolder();
  for (const [index, text] of texts.entries()) folder.put(`document-${index}`, text);
  return folder;
}

function pipelineOf(
  name: string,
  model: ModelCase,
  folder: FakeFolder,
  found: readonly Found[],
): Pipeline {
  const source = {
    name: "docs",
    source: createFakeSource(folder),
    metadata: {},
    parsers: [{ type: "fake", parser: createFakeParser(), recipe: "1" }],
    chunker: createFakeChunker(),
    chunkerRecipe: "1",
  };
  const sinks = found.map(({ sink, place }, index) => {
    const { configured, metric, live } = sink;
    const client = place.connect({ pipeline: name, metric, shape: live?.shape ?? "plain" });
    const key = `sink-${index}`;
    return [key, { name: key, sink: client, dimension: configured }] as const;
  });
  return {
    name,
    sources: new Map([["docs", source]]),
    embedder: embedderOf(model),
    sinks: new Map(sinks),
    state: memoryStateStore(),
    cache: memoryCache(),
    fields: {},
    policy: defaultPolicy,
  };
}

/** Vectors drawn from a hash of text, prompt and weights, of any length but one. */
function embedderOf(model: ModelCase): Embedder {
  const { id, native, min, matryoshka, prompt, weights } = model;
  const seed = JSON.stringify([id, native, prompt, weights]);
  const fake = createFakeEmbedder({ dimension: native, model: seed });
  return {
    ...fake,
    async open(openSignal) {
      const opened = await fake.open(openSignal);
      const prompts = { document: `${prompt}{text}`, query: "{text}" };
      return { ...opened, id, prompts, dimensions: { native, min, matryoshka } };
    },
  };
}
