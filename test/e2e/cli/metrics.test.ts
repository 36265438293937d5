import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import {
  type EmbeddingServer,
  startEmbeddingServer,
} from "../../../src/testkit/embedding-server.ts";
import {
  byLabel,
  type ParsedMetric,
  parsePrometheus,
  total,
} from "../../support/prometheus-text.ts";
import { documents, offlinePipeline, type Started, Workplace } from "./support/workplace.ts";

type Page = ReadonlyMap<string, ParsedMetric>;

async function slowServer(tokensPerSecond: number): Promise<EmbeddingServer> {
  const server = await startEmbeddingServer({ dimension: 8, tokensPerSecond });
  onTestFinished(() => server.close());
  return server;
}

function pipelineOf(server: EmbeddingServer): string {
  const url = server.url.replace("http://", "http://user:hunter2secret@");
  return offlinePipeline.replace(
    "{ type: lexical }",
    `{ type: openai, url: "${url}", model: m, server: openai, max_batch_texts: 4, concurrency: 2 }`,
  );
}

/** Where a run that was just started says that its measures are. */
async function addressOf(run: Started): Promise<string> {
  const stderr = run.process.stderr;
  let text = "";
  stderr?.on("data", (part: string) => (text += part));
  await run.tells("/metrics\n");
  const url = /measures: (\S+)/.exec(text)?.[1];
  if (url === undefined) throw new Error(`no address in ${text}`);
  return url;
}

async function scrape(url: string): Promise<Page> {
  const answer = await fetch(url, { headers: { connection: "close" } });
  expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const text = await answer.text();
  expect(text).not.toContain("hunter2secret");
  return parsePrometheus(text);
}

/** Scrapes again and again until a page has it; every series of every counter only grows meanwhile. */
async function scrapeUntil(url: string, holds: (page: Page) => boolean): Promise<Page> {
  for (let before: Page = new Map(); ;) {
    const page = await scrape(url);
    expect(shrunk(before, page)).toEqual([]);
    if (holds(page)) return page;
    before = page;
  }
}

function shrunk(before: Page, after: Page): string[] {
  return [...before.values()]
    .filter(({ type }) => type !== "gauge")
    .flatMap(({ name, series }) =>
      [...series]
        .filter(([key, least]) => !((after.get(name)?.series.get(key) ?? -1) >= least))
        .map(([key]) => key),
    );
}

function value(page: Page, name: string): number {
  return total(page.get(`sluice_${name}`));
}

function settled(page: Page): Record<string, number> {
  return byLabel(page.get("sluice_documents_total"), "outcome");
}

function texts(page: Page): Record<string, number> {
  return byLabel(page.get("sluice_embedding_texts_total"), "pipeline");
}

it("serves a run's measures while it works, in step with the server and with its summary", async () => {
  const server = await slowServer(700);
  const files = { "sluice.yaml": pipelineOf(server), ...documents(120) };
  await using place = await Workplace.make(files);
  const run = place.start("run", "--json", "--metrics-port", "0");
  const url = await addressOf(run);
  expect(new URL(url).hostname).toBe("127.0.0.1");

  const early = await scrapeUntil(
    url,
    (page) =>
      value(page, "embedding_texts_total") > 0 && value(page, "embedding_waiting_texts") > 0,
  );
  expect(value(early, "run_active")).toBe(1);
  expect(value(early, "embedding_waiting_tokens")).toBeGreaterThan(
    value(early, "embedding_waiting_texts"),
  );
  expect(value(early, "embedding_inflight_calls")).toBeGreaterThan(0);
  expect(value(early, "embedding_place_batch_limit_texts")).toBe(4);
  expect(value(early, "embedding_texts_total")).toBeLessThanOrEqual(server.stats().texts);

  const late = await scrapeUntil(url, (page) => value(page, "embedding_texts_total") >= 60);
  expect(shrunk(early, late)).toEqual([]);
  expect(Object.keys(byLabel(late.get("sluice_embedding_place_texts_total"), "place"))).toEqual([
    server.url,
  ]);
  expect(byLabel(late.get("sluice_embedding_texts_total"), "pipeline")).toEqual({
    handbook: value(late, "embedding_texts_total"),
  });
  expect(
    byLabel(late.get("sluice_event_loop_delay_seconds"), "quantile")[0.99],
  ).toBeGreaterThanOrEqual(0);

  const ended = await run.ended;
  expect(ended.code).toBe(0);
  const summary = ended.json<{
    chunks: { embedded: number };
    tokens: number;
    duration_ms: number;
    cache: { hits: number; misses: number; hit_rate: number };
    embedding: {
      calls: number;
      busy_ms: number;
      tokens_per_second: number;
      latency_ms: Record<string, number>;
      places: { place: string; texts: number; batch_fill: number }[];
    };
    event_loop: { delay_ms: { max: number } };
  }>();
  expect(summary.chunks.embedded).toBe(120);
  expect(summary.cache).toEqual({ hits: 0, misses: 120, hit_rate: 0 });
  const { embedding } = summary;
  expect(embedding.places).toMatchObject([
    { place: server.url, texts: 120, batches: embedding.calls },
  ]);
  // The server reads no more than 700 tokens a second, however slow the machine is.
  expect(embedding.tokens_per_second).toBeLessThan(850);
  expect(embedding.tokens_per_second * (embedding.busy_ms / 1000) - summary.tokens).toBeCloseTo(
    0,
    -1,
  );
  expect(embedding.busy_ms).toBeLessThan(summary.duration_ms);
  expect(embedding.places[0]?.batch_fill).toBeCloseTo(120 / (4 * embedding.calls), 3);
  expect(embedding.latency_ms["p99"]).toBeGreaterThanOrEqual(embedding.latency_ms["p50"] ?? 0);
  await expect(fetch(url)).rejects.toThrow();
});

it("goes on counting while it watches, and frees the port when it is stopped", async () => {
  await using place = await Workplace.make({ "sluice.yaml": offlinePipeline, ...documents(3) });
  const run = place.start("run", "--watch", "--metrics-port", "0");
  const url = await addressOf(run);
  const first = await scrapeUntil(url, (page) => settled(page)["added"] === 3);
  expect(total(first.get("sluice_cache_misses_total"))).toBe(3);
  await run.tells("watching for changes");
  await place.write("docs/page-1.md", "# Page 1\n\nAnother text.\n");
  const second = await scrapeUntil(url, (page) => settled(page)["updated"] === 1);
  expect(shrunk(first, second)).toEqual([]);
  expect(byLabel(second.get("sluice_records_upserted_total"), "sink")["search"]).toBe(4);
  run.process.kill("SIGTERM");
  expect((await run.ended).code).toBe(0);
  await expect(fetch(url)).rejects.toThrow();
});

it("counts several pipelines on one page, each under its name", async () => {
  const server = await slowServer(400);
  const two = pipelineOf(server).replace("handbook", "second").replace("handbook", "second");
  await using place = await Workplace.make({
    "one.yaml": offlinePipeline,
    "two.yaml": two,
    ...documents(8),
  });
  const run = place.start("run", "one.yaml", "two.yaml", "--metrics-port", "0");
  const url = await addressOf(run);
  const page = await scrapeUntil(url, (one) => (texts(one)["second"] ?? 0) > 0);
  expect(texts(page)["handbook"]).toBe(8);
  expect(byLabel(page.get("sluice_run_active"), "pipeline")).toEqual({ handbook: 0, second: 1 });
  expect(byLabel(page.get("sluice_embedding_waiting_texts"), "pipeline")).not.toHaveProperty(
    "handbook",
  );
  expect((await run.ended).code).toBe(0);
});

it("does not begin when the port is taken, and says which and what to do", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void other.close());
  await once(other, "listening");
  const port = String((other.address() as AddressInfo).port);
  await using place = await Workplace.make({ "sluice.yaml": offlinePipeline, ...documents(1) });
  const taken = await place.sluice("run", "--json", "--metrics-port", port);
  expect(taken.code).toBe(5);
  expect(taken.json()).toMatchObject({ error: { code: "metrics.unavailable" } });
  expect(taken.stderr).toContain(`port ${port} of \`127.0.0.1\`: another program has it`);
  const [status, empty, host, number] = await Promise.all([
    place.sluice("status", "--json"),
    place.sluice("run", "--metrics-port", "0", "--metrics-host", ""),
    place.sluice("run", "--metrics-host", "0.0.0.0"),
    place.sluice("run", "--metrics-port", "65536"),
  ]);
  expect(status.json()).toMatchObject({ exists: false });
  expect([empty.code, empty.stderr]).toEqual([2, expect.stringContaining("is empty")]);
  expect([host.code, host.stderr]).toEqual([2, expect.stringContaining("wants `--metrics-port`")]);
  expect([number.code, number.stderr]).toEqual([2, expect.stringContaining("from 0 to 65535")]);
});
