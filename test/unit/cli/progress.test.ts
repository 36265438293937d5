import { expect, it } from "vitest";
import { Progress } from "../../../src/cli/progress.ts";
import { Terminal } from "../../../src/cli/terminal.ts";
import type { RunMeasures } from "../../../src/engine/index.ts";
import { Fault } from "../../../src/faults/index.ts";

const silent = { write: () => true, on: () => undefined };

const idle: RunMeasures = {
  embedding: {
    texts: 0,
    tokens: 0,
    calls: 0,
    busyMs: 0,
    inFlight: { calls: 0, texts: 0, tokens: 0 },
    waiting: { texts: 0, tokens: 0 },
    mostWaiting: { texts: 0, tokens: 0 },
    tokensHeld: 0,
    tokensAllowed: 100,
    retries: 0,
    errors: {},
    latency: { p50: 0, p95: 0, p99: 0 },
    places: [],
  },
  cache: undefined,
  loop: undefined,
  gpus: [],
};

function make(expected?: number, measure: () => RunMeasures = () => idle) {
  let now = 0;
  const terminal = new Terminal({ stdout: silent, stderr: silent, environment: {} });
  const progress = new Progress(terminal, {
    now: () => now,
    measure,
    ...(expected === undefined ? {} : { expected }),
  });
  progress.start();
  const pass = (milliseconds: number): void => {
    now += milliseconds;
  };
  return { progress, pass };
}

const listing = { kind: "listing-started", source: "docs", resumed: false } as const;
const listed = { kind: "listing-ended", source: "docs", listing: "complete" } as const;
const opened = {
  kind: "target-opened",
  sink: "search",
  address: "x",
  dimension: 8,
  created: true,
} as const;

it("tells documents, the time left when it can be known, rates and sinks, in this order", () => {
  const { progress, pass } = make(100);
  progress.observe(opened);
  progress.observe(listing);
  progress.observe({ kind: "documents-unchanged", source: "docs", count: 50 });
  progress.observe({ kind: "chunks-embedded", count: 40, tokens: 2000, milliseconds: 5 });
  progress.observe({ kind: "records-written", sink: "search", upserted: 40, deleted: 2 });
  pass(2000);
  expect(progress.describe()).toBe("50/100 documents (25/s), about 2.0 s left · search +40 −2");
  expect(progress.describeEmbedding()).toBe("40 chunks embedded (20/s, 1,000 tokens/s)");
  progress.stop();
});

it("tells on a first run that it starts, which sources it still lists, and how fast it goes", () => {
  const { progress, pass } = make();
  expect(progress.describe()).toBe("starting");
  progress.observe(opened);
  expect(progress.describe()).toBe("starting · search +0");
  progress.observe(listing);
  progress.observe({ ...listing, source: "wiki" });
  expect(progress.describe()).toBe("listing docs, wiki · 0 documents so far · search +0");
  progress.observe({ kind: "document-settled", document: "docs:a", outcome: "added" });
  progress.observe({ kind: "chunks-cached", count: 3 });
  pass(500);
  progress.observe(listed);
  expect(progress.describe()).toBe("listing wiki · 1 document so far (2.0/s) · search +0");
  expect(progress.describeEmbedding()).toBe("0 chunks embedded, 3 cached");
  progress.observe({ ...listed, source: "wiki" });
  expect(progress.describe()).toBe("all listed · 1 document (2.0/s) · search +0");
  progress.stop();
});

it.each([
  ["on a first run", make(), [listing]],
  ["after the listing", make(100), [listing, listed]],
  ["of a listing that goes on where another stopped", make(100), [{ ...listing, resumed: true }]],
])("makes up no time left %s", (_, { progress, pass }, events) => {
  for (const event of events) progress.observe(event);
  progress.observe({ kind: "documents-unchanged", source: "docs", count: 5 });
  pass(1000);
  expect(progress.describe()).toContain("5 documents");
  expect(progress.describe()).not.toMatch(/left|5\/100/);
  progress.stop();
});

it("counts deleted and failed documents apart, and tells them before what may be cut off", () => {
  const { progress } = make();
  progress.observe(opened);
  progress.observe(listing);
  progress.observe({ kind: "document-settled", document: "docs:a", outcome: "deleted" });
  const failure = { document: "docs:b", stage: "parse", code: "x", message: "y" } as const;
  progress.observe({ kind: "document-failed", failure, known: false });
  progress.observe({ kind: "stopping" });
  expect(progress.describe()).toBe(
    "stopping · listing docs · 1 document so far · 1 failed · 1 deleted · search +0",
  );
  progress.stop();
});

it("says what it waits for, before the numbers and until that goes on", () => {
  const { progress } = make();
  const fault = new Fault("embed.timeout", "slow");
  progress.observe({ kind: "retrying", component: "embedder", fault, delayMs: 100 });
  expect(progress.describe()).toBe("starting · waiting for embedder (embed.timeout)");
  progress.observe(listing);
  progress.observe({ kind: "chunks-embedded", count: 1, tokens: 1, milliseconds: 5 });
  expect(progress.describe()).not.toContain("waiting");
  progress.observe({ kind: "retrying", component: "embedder", fault, delayMs: 100 });
  progress.observe(opened);
  expect(progress.describe()).toMatch(/so far · waiting for embedder .* · search/);
  progress.stop();
});

it("tells in one line how well the model is fed, and nothing that is not known", () => {
  const place = {
    place: "http://127.0.0.1:1/v1",
    batches: 10,
    texts: 100,
    tokens: 9000,
    padding: 1000,
    errors: {},
    inFlight: 3,
    window: 8,
    batchTokens: 1250,
    batchTexts: 32,
    latency: { p50: 50, p95: 180, p99: 200 },
    ejected: false,
  };
  const { embedding } = idle;
  let measures: RunMeasures = idle;
  const { progress, pass } = make(undefined, () => measures);
  expect(progress.describeEmbedding()).toBe("");
  progress.observe({ kind: "chunks-embedded", count: 100, tokens: 9000, milliseconds: 5 });
  pass(1000);
  const load = { running: 12, waiting: 30, memory: 0.4 };
  const gone = { ...place, ejected: true, inFlight: 0, latency: { p50: 0, p95: 0, p99: 0 } };
  measures = {
    ...idle,
    embedding: {
      ...embedding,
      calls: 10,
      errors: { "embed.timeout": 2, "embed.failed": 1 },
      waiting: { texts: 1024, tokens: 4096 },
      places: [{ ...place, load }, gone],
    },
    gpus: [
      {
        gpu: "0",
        name: "Any",
        memoryUsedBytes: 2 ** 31,
        memoryTotalBytes: 80 * 2 ** 30,
        utilization: 0.97,
      },
    ],
  };
  expect(progress.describeEmbedding()).toBe(
    "100 chunks embedded (100/s, 9,000 tokens/s) · batches 80 % full · 10 % padding · p95 180 ms · " +
      "3 of 16 under way · 1,024 waiting · 3 calls failed · server: 12 running, 30 waiting, memory 40 % · 1 of 2 servers away · GPU 97 %, 2.0 GB of 80.0 GB",
  );
  const two = measures.gpus.flatMap((gpu) => [gpu, { ...gpu, utilization: undefined }]);
  measures = { ...measures, gpus: two };
  expect(progress.describeEmbedding()).toMatch(/ · 2 GPUs 97 %, 4\.0 GB of 160 GB$/);
  const untold = { ...embedding, calls: 1, latency: { p50: 3, p95: 4, p99: 5 } };
  measures = { ...idle, embedding: untold };
  expect(progress.describeEmbedding()).toMatch(/tokens\/s\) · p95 4 ms$/);
  progress.stop();
});
