import type { IndexModel } from "@pinecone-database/pinecone";
import { describe, expect, it } from "vitest";
import {
  readIndexModel,
  readStatistics,
} from "../../../../connectors/sinks/pinecone/live-index.ts";
import { lawFields, makeRecord, toUpsert } from "../../../../src/testkit/sink-harness.ts";
import { rawClient } from "./harness.ts";
import { created, emulate, rejection, signal, sinkAt } from "./places.ts";

const spec = { dimension: 8, metric: "cosine", fields: lawFields } as const;

function model(changes: object): IndexModel {
  const plain: unknown = {
    name: "handbook",
    host: "handbook-1.svc.pinecone.io",
    status: { ready: true, state: "Ready" },
    deployment: { deploymentType: "managed", cloud: "aws", region: "us-east-1" },
    schema: { fields: { _values: { type: "dense_vector", dimension: 8, metric: "cosine" } } },
    deletionProtection: "disabled",
    ...changes,
  };
  return plain as IndexModel;
}

describe("a live index", () => {
  it.each(["cosine", "dot", "euclidean"] as const)("is told to compare by %s", async (metric) => {
    const { sink, emulator } = await created({ create: { metric } });
    expect(await sink.describe(signal)).toEqual({
      dimension: 8,
      metric,
      elementType: "float32",
      records: 0,
      misfits: [],
    });
    // At 2026-07 a dense index reports a sparse field too.
    const raw = await rawClient(emulator).indexes.describe("handbook");
    expect(Object.keys(raw.schema.fields).toSorted()).toEqual(["_sparse_values", "_values"]);
  });

  it("of the documents kind is refused by name, although it answers reads", async () => {
    const emulator = await emulate();
    const client = rawClient(emulator);
    const fields = { body: { type: "dense_vector", dimension: 8, metric: "cosine" } } as const;
    await client.indexes.create({ name: "handbook", schema: { fields } });
    const { host } = await client.indexes.describe("handbook");
    const raw = client.index({ host });
    expect((await raw.fetch({ ids: ["a"] })).records).toEqual({});
    for (const config of [{}, { host }]) {
      const sink = sinkAt(emulator, config);
      const { misfits = [], records } = (await sink.describe(signal)) ?? {};
      expect(misfits).toHaveLength(1);
      expect(misfits[0]).toContain("it is of the documents kind, which takes no vectors");
      expect(records).toBe(0);
      expect(await rejection(sink.open(signal))).toMatchObject({ code: "sink.foreign" });
    }
  });

  it("of sparse vectors is told to be that", async () => {
    const emulator = await emulate();
    const { indexes } = rawClient(emulator);
    const serverless = { cloud: "aws", region: "us-east-1" } as const;
    await indexes.create({ name: "handbook", vectorType: "sparse", spec: { serverless } });
    const { host } = await indexes.describe("handbook");
    for (const config of [{}, { host }]) {
      const sink = sinkAt(emulator, config);
      expect(await sink.describe(signal)).toMatchObject({ elementType: "sparse", misfits: [] });
      expect(await rejection(sink.open(signal))).toMatchObject({ code: "sink.foreign" });
    }
  });

  it("that embeds texts itself, or runs on pods, is refused by name", () => {
    const semantic = readIndexModel(
      model({ schema: { fields: { body: { type: "semantic_text", model: "x", dimension: 8 } } } }),
    );
    expect(semantic.misfits).toEqual([
      expect.stringContaining("It embeds texts itself (field `body`)"),
    ]);
    const pod = { deploymentType: "pod", environment: "us-east1-gcp", podType: "p1.x1" };
    expect(readIndexModel(model({ deployment: pod })).misfits).toEqual([
      expect.stringContaining("It runs on pods"),
    ]);
    expect(readIndexModel(model({ schema: { fields: {} } })).misfits).toHaveLength(1);
    const named = { schema: { fields: { a: { type: "string" }, b: { type: "sparse_vector" } } } };
    expect(readIndexModel(model(named)).misfits[0]).toContain("(`a`, `b`)");
  });

  it("is reached inside the network where it has an address there", () => {
    expect(readIndexModel(model({ privateHost: "x.private" })).host).toBe("x.private");
  });

  it("of an unknown metric is told to have another", () => {
    const text = JSON.stringify({ dimension: 8, metric: "hamming", vectorType: "dense" });
    expect(readStatistics("h", text)).toMatchObject({ metric: "other", dimension: 8, misfits: [] });
  });

  it("is not usable before it is ready, and never when it failed", async () => {
    const emulator = await emulate({ readyDelayMs: 60_000 });
    const fields = { _values: { type: "dense_vector", dimension: 8, metric: "cosine" } } as const;
    await rawClient(emulator).indexes.create({ name: "handbook", schema: { fields } });
    const sink = sinkAt(emulator, { create: { timeout_ms: 30 } });
    expect(await rejection(sink.describe(signal))).toMatchObject({
      code: "sink.not-ready",
      retry: "later",
      message: expect.stringContaining("Pinecone says `Initializing`"),
    });
    const states = [
      ["InitializationFailed", "never"],
      ["Disabled", "never"],
      ["Terminating", "later"],
    ] as const;
    for (const [state, retry] of states) {
      emulator.behave(({ operation }) =>
        operation === "describeIndex" ? stateAnswer(state) : undefined,
      );
      const fault = await rejection(sink.open(signal));
      expect(fault).toMatchObject({ code: "sink.not-ready", retry });
      expect(fault.message).toContain(`\`${state}\``);
    }
  });

  it("is described anew each time, also when it was made anew at another address", async () => {
    const { emulator, sink, collection } = await created();
    await collection.write([toUpsert(makeRecord(1, 8))], signal);
    const { indexes } = rawClient(emulator);
    await indexes.delete("handbook");
    expect(await sink.describe(signal)).toBeUndefined();
    await sink.create({ ...spec, dimension: 5 }, signal);
    expect(await sink.describe(signal)).toMatchObject({ dimension: 5, records: 0 });
    const next = await sink.open(signal);
    await next.write([toUpsert(makeRecord(1, 5))], signal);
    expect(await next.count(undefined, signal)).toBe(1);
  });
});

function stateAnswer(state: string) {
  const body = JSON.stringify({
    name: "handbook",
    host: "127.0.0.1:1",
    status: { ready: false, state },
    deployment: { deployment_type: "managed", cloud: "aws", region: "us-east-1" },
    schema: { fields: {} },
    deletion_protection: "disabled",
  });
  return { kind: "status", status: 200, body } as const;
}

describe("an index that is given by its address", () => {
  it("is used without the control plane", async () => {
    const { emulator, sink: maker } = await created();
    const { host } = await rawClient(emulator).indexes.describe("handbook");
    emulator.reset();
    const sink = sinkAt(emulator, { host: `${host}/` });
    expect(await sink.describe(signal)).toEqual(await maker.describe(signal));
    const collection = await sink.open(signal);
    await collection.write([toUpsert(makeRecord(1, 8))], signal);
    expect(await collection.count(undefined, signal)).toBe(1);
    // Only `maker` asked it.
    expect(emulator.stats().byOperation.describeIndex).toBe(1);
  });

  it("is not made, and is told to be unreachable when it is gone", async () => {
    const { emulator } = await created();
    const client = rawClient(emulator);
    const { host } = await client.indexes.describe("handbook");
    const sink = sinkAt(emulator, { host });
    expect(await rejection(sink.create(spec, signal))).toMatchObject({
      code: "sink.rejected",
      message: expect.stringContaining("Remove `host`"),
    });
    await client.indexes.delete("handbook");
    expect(await rejection(sink.describe(signal))).toMatchObject({ code: "sink.unreachable" });
  });
});

describe("a new index", () => {
  it("is what `create` says", async () => {
    const { emulator } = await created({
      create: {
        metric: "dot",
        cloud: "gcp",
        region: "europe-west4",
        deletion_protection: true,
        tags: { team: "docs" },
      },
    });
    const made = await rawClient(emulator).indexes.describe("handbook");
    expect(made).toMatchObject({
      deletionProtection: "enabled",
      deployment: { cloud: "gcp", region: "europe-west4" },
      tags: { team: "docs" },
      schema: { fields: { _values: { dimension: 8, metric: "dotproduct" } } },
    });
  });

  it("is waited for, but not for longer than allowed, and not when the run is stopped", async () => {
    const emulator = await emulate({ readyDelayMs: 300 });
    const impatient = sinkAt(emulator, { create: { timeout_ms: 40 } });
    expect(await rejection(impatient.create(spec, signal))).toMatchObject({
      code: "sink.not-ready",
      retry: "later",
      message: expect.stringContaining("raise `create.timeout_ms`"),
    });
    const patient = sinkAt(emulator, { index: "other" });
    const collection = await patient.create(spec, signal);
    expect(await collection.count(undefined, signal)).toBe(0);
    const stop = new AbortController();
    const stopped = sinkAt(emulator, { index: "third" }).create(spec, stop.signal);
    const reason = new Error("stopped by hand");
    setTimeout(() => stop.abort(reason), 30);
    expect(await rejection(stopped)).toBe(reason);
  });

  it("is waited for until its address answers, too", async () => {
    const emulator = await emulate();
    let silent = 3;
    emulator.behave(({ operation }) => {
      if (operation !== "stats" || silent === 0) return undefined;
      silent -= 1;
      return { kind: "reset" };
    });
    await sinkAt(emulator).create(spec, signal);
    expect(silent).toBe(0);
    emulator.behave(({ operation }) => (operation === "stats" ? { kind: "reset" } : undefined));
    const config = { index: "other", create: { timeout_ms: 40 } };
    expect(await rejection(sinkAt(emulator, config).create(spec, signal))).toMatchObject({
      code: "sink.unreachable",
      retry: "later",
    });
    emulator.behave(({ operation }) =>
      operation === "stats" ? { kind: "status", status: 403 } : undefined,
    );
    const denied = sinkAt(emulator, { index: "third" }).create(spec, signal);
    expect(await rejection(denied)).toMatchObject({ code: "sink.unauthorized" });
  });

  it("is not made where there is no such region, or of an impossible dimension", async () => {
    const emulator = await emulate();
    const region = sinkAt(emulator, { create: { region: "moon" } });
    expect(await rejection(region.create(spec, signal))).toMatchObject({
      code: "sink.rejected",
      retry: "never",
      scope: "component",
      message: expect.stringContaining("Correct `create.cloud` and `create.region`"),
    });
    const large = sinkAt(emulator).create({ ...spec, dimension: 20_001 }, signal);
    expect(await rejection(large)).toMatchObject({ code: "sink.rejected", scope: "component" });
  });

  it("indexes only what filters can name where that is asked for", async () => {
    const config = { namespace: "n", create: { indexed_metadata: "filterable" } };
    const { emulator, sink, collection } = await created(config);
    const { host } = await rawClient(emulator).indexes.describe("handbook");
    const { schema } = await rawClient(emulator).index({ host }).describeNamespace("n");
    expect(Object.keys(schema?.fields ?? {}).toSorted()).toEqual(
      ["document", "source", "title", "uri", "pipeline", ...Object.keys(lawFields)].toSorted(),
    );
    expect((await sink.describe(signal))?.misfits).toEqual([]);
    await collection.write([toUpsert(makeRecord(1, 8))], signal);
    // Declared later, so it is not among them.
    const later = sinkAt(emulator, config, { fields: { ...lawFields, author: "string" } });
    expect((await later.describe(signal))?.misfits).toEqual([
      expect.stringContaining("`author` for `author` is not one of them"),
    ]);
    expect(await rejection(later.open(signal))).toMatchObject({ code: "sink.foreign" });
  });

  it("leaves a namespace alone that somebody else has made", async () => {
    const config = { namespace: "n", create: { indexed_metadata: "filterable" } };
    const emulator = await emulate();
    emulator.behave(({ operation }) =>
      operation === "createNamespace" ? { kind: "status", status: 409 } : undefined,
    );
    const collection = await sinkAt(emulator, config).create(spec, signal);
    expect(await collection.count(undefined, signal)).toBe(0);
  });

  it("made with a list of filterable keys must have those of this pipeline", () => {
    const live = readIndexModel(
      model({
        schema: {
          fields: {
            _values: { type: "dense_vector", dimension: 8, metric: "cosine" },
            genre: { filterable: true },
          },
        },
      }),
    );
    expect([...(live.filterable ?? [])]).toEqual(["genre"]);
    expect(live.misfits).toEqual([]);
  });
});
