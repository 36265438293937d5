import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { RunMetrics } from "../../../../src/cli/metrics/run-metrics.ts";
import type { PlaceMeasures } from "../../../../src/contracts/index.ts";
import type { GpuMeasures } from "../../../../src/engine/index.ts";
import { RunMeter } from "../../../../src/engine/meter.ts";
import { Fault } from "../../../../src/faults/index.ts";
import { systemClock } from "../../../../src/flow/index.ts";
import { byLabel, parsePrometheus, total } from "../../../support/prometheus-text.ts";

const place: PlaceMeasures = {
  place: "http://127.0.0.1:8000/v1",
  batches: 4,
  texts: 20,
  tokens: 300,
  padding: 100,
  errors: { "embed.timeout": 2 },
  inFlight: 1,
  window: 2,
  batchTokens: 200,
  batchTexts: Infinity,
  latency: { p50: 100, p95: 200, p99: 300 },
  ejected: false,
  load: { running: 12, waiting: 30, memory: 0.4 },
};

const gpu: GpuMeasures = {
  gpu: "0",
  name: "Any",
  memoryUsedBytes: 1024,
  memoryTotalBytes: 4096,
  utilization: undefined,
};

/** A meter of a run whose embedder tells of these places from its beginning on. */
function meterOf(...places: readonly PlaceMeasures[]): RunMeter {
  const loop = { read: () => ({ p50: 1, p99: 20, max: 45 }) };
  const meter = new RunMeter({
    loop,
    gpus: { read: () => [gpu, { ...gpu, gpu: "1", utilization: 0.5 }] },
  });
  let told: readonly PlaceMeasures[] = [];
  meter.begin({
    embedder: { measures: () => told },
    clock: systemClock,
    hasCache: true,
    waiting: () => ({ texts: 3, tokens: 30 }),
    tokensHeld: () => 77,
    tokensAllowed: 1000,
  });
  told = places;
  return meter;
}

async function scrape(metrics: RunMetrics) {
  const { text, type } = await metrics.page();
  expect(type).toBe("text/plain; version=0.0.4; charset=utf-8");
  return parsePrometheus(text);
}

describe("the page of measures", () => {
  it("has only names of ours, with base units last, and counters that end in `_total`", async () => {
    const metrics = await RunMetrics.load((text) => text);
    const empty = await scrape(metrics);
    metrics.watch("handbook", meterOf(place));
    const page = await scrape(metrics);
    expect([...page.keys()]).toEqual([...empty.keys()]);
    const units = "texts|tokens|calls|batches|requests|bytes|seconds|ratio|ejected|active";
    const wrong = [...page.values()].filter(({ name, type }) => {
      const isNamed =
        /^sluice_[a-z_]+$/.test(name) && name.endsWith("_total") === (type === "counter");
      return !isNamed || (type !== "counter" && !new RegExp(`_(?:${units})$`).test(name));
    });
    expect(wrong).toEqual([]);
    for (const { help } of page.values()) expect(help).toMatch(/^[A-Z1].+\.$|^[A-Z1].+\)\.$/);
  });

  it("tells what a run measures, each with its unit", async () => {
    const metrics = await RunMetrics.load((text) => text);
    metrics.watch("handbook", meterOf(place));
    const page = await scrape(metrics);
    const value = (name: string): number => total(page.get(`sluice_${name}`));
    expect(value("embedding_waiting_texts")).toBe(3);
    expect(value("embedding_waiting_tokens")).toBe(30);
    expect(value("embedding_held_tokens")).toBe(77);
    expect(value("embedding_held_limit_tokens")).toBe(1000);
    expect(value("embedding_place_padding_tokens_total")).toBe(100);
    expect(value("embedding_place_batch_fill_ratio")).toBe(0.5);
    expect(value("embedding_place_errors_total")).toBe(2);
    expect(value("embedding_place_server_waiting_requests")).toBe(30);
    expect(value("embedding_place_batch_limit_texts")).toBeNaN();
    expect(byLabel(page.get("sluice_embedding_place_batch_duration_seconds"), "quantile")).toEqual({
      0.5: 0.1,
      0.95: 0.2,
      0.99: 0.3,
    });
    expect(byLabel(page.get("sluice_event_loop_delay_seconds"), "quantile")).toEqual({
      0.5: 0.001,
      0.99: 0.02,
      1: 0.045,
    });
    expect(byLabel(page.get("sluice_gpu_memory_used_bytes"), "gpu")).toEqual({ 0: 1024, 1: 1024 });
    expect(byLabel(page.get("sluice_gpu_utilization_ratio"), "gpu")).toEqual({ 1: 0.5 });
    expect(value("process_resident_memory_bytes")).toBeGreaterThan(1e7);
    expect(value("run_active")).toBe(1);
    expect(Math.abs(value("run_start_time_seconds") - Date.now() / 1000)).toBeLessThan(60);
  });

  it("counts what becomes of documents, records, calls and tries, as events tell it", async () => {
    const metrics = await RunMetrics.load((text) => text);
    const { observe } = metrics.watch("handbook", meterOf());
    expect(total((await scrape(metrics)).get("sluice_documents_total"))).toBe(0);
    const fault = new Fault("sink.unreachable", "away");
    const failure = {
      document: "d",
      stage: "parse",
      code: "parse.malformed",
      message: "m",
    } as const;
    observe({ kind: "document-settled", document: "a", outcome: "added" });
    observe({ kind: "document-settled", document: "b", outcome: "deleted" });
    observe({ kind: "documents-unchanged", source: "docs", count: 7 });
    observe({ kind: "document-failed", failure, known: false });
    observe({ kind: "chunks-embedded", count: 3, tokens: 30, milliseconds: 40 });
    observe({ kind: "chunks-cached", count: 5 });
    observe({ kind: "records-written", sink: "search", upserted: 3, deleted: 1 });
    observe({ kind: "retrying", component: "sinks.search", fault, delayMs: 1 });
    const page = await scrape(metrics);
    expect(byLabel(page.get("sluice_documents_total"), "outcome")).toEqual({
      added: 1,
      updated: 0,
      unchanged: 7,
      deleted: 1,
      failed: 1,
    });
    expect(byLabel(page.get("sluice_records_upserted_total"), "sink")).toEqual({ search: 3 });
    expect(byLabel(page.get("sluice_records_deleted_total"), "sink")).toEqual({ search: 1 });
    expect(byLabel(page.get("sluice_retries_total"), "code")).toEqual({ "sink.unreachable": 1 });
    expect(total(page.get("sluice_chunks_known_total"))).toBe(5);
    const calls = page.get("sluice_embedding_call_duration_seconds")?.series;
    const of = 'pipeline="handbook"';
    expect(calls?.get(`sluice_embedding_call_duration_seconds_sum{${of}}`)).toBeCloseTo(0.04);
    expect(calls?.get(`sluice_embedding_call_duration_seconds_bucket{le="0.025",${of}}`)).toBe(0);
    expect(calls?.get(`sluice_embedding_call_duration_seconds_bucket{le="0.05",${of}}`)).toBe(1);
  });

  it("keeps the counters of a run that is over, adds those of the next, and drops its gauges", async () => {
    const metrics = await RunMetrics.load((text) => text);
    metrics.watch("handbook", meterOf(place)).end();
    const over = await scrape(metrics);
    expect(total(over.get("sluice_embedding_place_tokens_total"))).toBe(300);
    expect(over.get("sluice_embedding_waiting_texts")?.series.size).toBe(0);
    expect(total(over.get("sluice_run_active"))).toBe(0);
    metrics.watch("handbook", meterOf(place));
    metrics.watch("other", meterOf(place));
    const page = await scrape(metrics);
    expect(byLabel(page.get("sluice_embedding_place_tokens_total"), "pipeline")).toEqual({
      handbook: 600,
      other: 300,
    });
    expect(byLabel(page.get("sluice_embedding_waiting_texts"), "pipeline")).toEqual({
      handbook: 3,
      other: 3,
    });
  });

  it("hides secrets in the values of labels, and writes whatever else stands in them so that it is read", async () => {
    const metrics = await RunMetrics.load((text) => text.replaceAll("hunter22", "***"));
    const odd = 'http://h/hunter22/"quoted"\\back\nline,x="1"}';
    metrics.watch("hunter22 book", meterOf({ ...place, place: odd }, { ...place, place: "two" }));
    const { text } = await metrics.page();
    expect(text).not.toContain("hunter22");
    const page = parsePrometheus(text);
    expect(byLabel(page.get("sluice_embedding_place_tokens_total"), "pipeline")).toEqual({
      "*** book": 600,
    });
    expect(page.get("sluice_embedding_place_tokens_total")?.series.size).toBe(2);
  });
});

describe("the parser of these tests", () => {
  it.each([
    ["a sample without TYPE", "sluice_x 1\n"],
    ["TYPE without HELP", "# TYPE sluice_x gauge\nsluice_x 1\n"],
    ["a series twice", '# HELP a b\n# TYPE a gauge\na{x="1",y="2"} 1\na{y="2",x="1"} 1\n'],
    ["a metric in two places", "# HELP a b\n# TYPE a gauge\na 1\n# HELP a b\n# TYPE a gauge\n"],
    ["a foreign sample", "# HELP a b\n# TYPE a gauge\nc 1\n"],
    ["a number that is none", "# HELP a b\n# TYPE a gauge\na Nan\n"],
    ["labels that do not end", '# HELP a b\n# TYPE a gauge\na{x="1} 1\n'],
    ["a last line that does not end", "# HELP a b\n# TYPE a gauge\na 1"],
    [
      "buckets that shrink",
      '# HELP a b\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_count 1\na_sum 1\n',
    ],
  ])("refuses %s", (_, text) => {
    expect(() => parsePrometheus(text)).toThrow();
  });
});

it("is told in the guide: every metric with its labels, and no other", async () => {
  const metrics = await RunMetrics.load((text) => text);
  const { observe } = metrics.watch("handbook", meterOf({ ...place, batchTexts: 9 }));
  const meter = meterOf(place);
  await expect(
    meter.time({ texts: 1, tokens: 1 }, () => Promise.reject(new Fault("embed.failed", "no"))),
  ).rejects.toThrow("no");
  const next = metrics.watch("other", meter);
  const fault = new Fault("embed.failed", "no");
  observe({ kind: "records-written", sink: "search", upserted: 1, deleted: 0 });
  next.observe({ kind: "retrying", component: "embedder", fault, delayMs: 1 });
  const { text } = await metrics.page();
  const made = [...parsePrometheus(text).values()].map(({ name, series }) => {
    const labels = [...series.keys()].flatMap((key) =>
      [...key.matchAll(/[{,](\w+)=/g)].map(([, label]) => label),
    );
    const own = [...new Set(labels)].filter((label) => label !== "pipeline" && label !== "le");
    return `${name}: ${own.toSorted().join(", ")}`;
  });
  const guide = readFileSync("docs/guide/watching.md", "utf8");
  const rows = [...guide.matchAll(/^\| `(sluice_\w+)` +\|([^|]*)\|/gm)].map(
    ([, name, labels = ""]) => {
      const told = [...labels.matchAll(/`(\w+)`/g)].map(([, label = ""]) => label);
      return `${name}: ${told.toSorted().join(", ")}`;
    },
  );
  expect(rows.toSorted()).toEqual(made.toSorted());
});
