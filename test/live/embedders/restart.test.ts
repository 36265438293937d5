import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { installServer } from "../../../scripts/servers/install-server.ts";
import { llamaCppWith } from "../../../scripts/servers/llama-cpp.ts";
import { RunningServer } from "../../../scripts/servers/running-server.ts";
import { startServer } from "../../../scripts/servers/start-server.ts";
import { probeTexts } from "../../../src/engine/space.ts";
import { farthest } from "../../connectors/embedders/qwen3/harness.ts";
import { makePlace, type Place, pipelineText } from "../../e2e/support/place.ts";
import { markdown, randomFrom } from "../../e2e/support/prose.ts";
import { readIndex, type StoredRow } from "../../e2e/support/stored-index.ts";
import { sync } from "../../e2e/support/sync.ts";
import { describeLive } from "../support/live-servers.ts";
import { RecordingProxy } from "./recording-proxy.ts";
import { tinyModel } from "./tiny-server.ts";

const pages = 40;
/** The request during which the server is killed: the probes are over, and most of the work is not. */
const during = 12;
const patient = "retry: { attempts: 20, base_ms: 20, max_ms: 200, total_ms: 60000 }";
const impatient = "retry: { attempts: 2, base_ms: 1, max_ms: 2, total_ms: 100 }";

/** Forty pages, and a pipeline that embeds few texts at a time. */
async function placeBehind(urls: readonly string[]): Promise<Place> {
  const place = await makePlace();
  const random = randomFrom(11);
  for (let page = 0; page < pages; page += 1) {
    await place.write(`page-${page}.md`, markdown(random, 3));
  }
  await configure(place, urls, patient);
  return place;
}

async function configure(place: Place, urls: readonly string[], retry: string): Promise<void> {
  const more = ["max_batch_texts: 4", "concurrency: 4"];
  const address = urls.length === 1 ? `url: ${urls[0]}` : `urls: [${urls.join(", ")}]`;
  const embedder = ["type: openai", `model: ${tinyModel}`, address, ...more];
  const text = pipelineText({ embedder, more: ["chunker: { type: structure, max_tokens: 64 }"] });
  await writeFile(place.file, text.replace(/^retry:.*$/m, retry));
}

let calm: ReadonlyMap<string, StoredRow> | undefined;

/** What a run makes that nothing disturbs. */
async function calmIndex(address: string): Promise<ReadonlyMap<string, StoredRow>> {
  if (calm !== undefined) return calm;
  const place = await placeBehind([address]);
  expect((await sync(place.file)).exitCode).toBe(0);
  calm = await readIndex(place.index, "search");
  return calm;
}

/** Every record of a run that nothing disturbed, with the same vector. */
async function expectWhole(place: Place, undisturbed: string): Promise<void> {
  const expected = await calmIndex(undisturbed);
  const found = await readIndex(place.index, "search");
  expect([...found.keys()]).toEqual([...expected.keys()]);
  expect(found.size).toBeGreaterThan(pages);
  for (const [id, { vector }] of expected) {
    expect(farthest(found.get(id)?.vector ?? [], vector)).toBeLessThan(1e-5);
  }
}

/** How often texts were answered, the probes' aside. */
function answers(proxies: readonly RecordingProxy[]): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const [text, count] of proxies.flatMap(({ answered }) => [...answered])) {
    times.set(text, (times.get(text) ?? 0) + count);
  }
  for (const text of [...probeTexts, "Hello world"]) times.delete(text);
  return times;
}

/** Every text was answered, and none of them twice. */
function expectOnce(proxies: readonly RecordingProxy[], texts: number): void {
  const times = answers(proxies);
  expect([...times].filter(([, count]) => count !== 1)).toEqual([]);
  expect(times.size).toBe(texts);
}

describeLive("llama-cpp", ({ address }) => {
  test("a server that is killed and comes back in the midst of a run costs nothing but time", async () => {
    await using own = await startServer("llama-cpp");
    const proxy = await RecordingProxy.open(own.address);
    let back: Promise<void> | undefined;
    proxy.onRequest = (request) => {
      if (request === during) back = own.kill().then(() => own.restart());
    };
    const place = await placeBehind([proxy.url]);
    const { summary, exitCode } = await sync(place.file);
    await back;
    expect(summary).toMatchObject({
      status: "succeeded",
      documents: { added: pages, failed: 0 },
    });
    expect(exitCode).toBe(0);
    expect(proxy.lost).toBeGreaterThan(0);
    expect(proxy.requests).toBeGreaterThan(2 * during);
    expectOnce([proxy], summary.chunks.embedded);
    await expectWhole(place, address);
  }, 120_000);

  test("a run that gives up on a dead server keeps what was answered, and the next embeds the rest", async () => {
    await using own = await startServer("llama-cpp");
    const proxy = await RecordingProxy.open(own.address);
    let killed: Promise<void> | undefined;
    proxy.onRequest = (request) => {
      if (request === during) killed = own.kill();
    };
    const place = await placeBehind([proxy.url]);
    await configure(place, [proxy.url], impatient);
    const first = await sync(place.file);
    await killed;
    expect(first.exitCode).not.toBe(0);
    expect(first.summary.error).toMatchObject({ code: "embed.unreachable" });
    expect(proxy.answered.size).toBeGreaterThan(0);
    await own.restart();
    await configure(place, [proxy.url], patient);
    const second = await sync(place.file);
    expect(second.summary).toMatchObject({ status: "succeeded", documents: { failed: 0 } });
    expectOnce([proxy], first.summary.chunks.embedded + second.summary.chunks.embedded);
    await expectWhole(place, address);
  }, 120_000);

  test("a server that comes back with another model is not believed, and nothing of it is kept", async () => {
    await using own = await startServer("llama-cpp");
    const kind = llamaCppWith({ end: "<|im_end|>" });
    await using other = await RunningServer.start(kind, await installServer(kind));
    const proxy = await RecordingProxy.open(own.address);
    let killed: Promise<void> | undefined;
    proxy.onRequest = (request, texts) => {
      if (request === during) killed = own.kill();
      // The first question after the loss, before any work, is for a vector that is known.
      if (proxy.lost > 0 && texts === 1) proxy.redirect(other.address);
    };
    const place = await placeBehind([proxy.url]);
    const first = await sync(place.file);
    await killed;
    expect(first.exitCode).toBe(4);
    expect(first.summary.error).toMatchObject({
      code: "refused.probe",
      message: expect.stringContaining("gives another vector for the same text than before"),
    });
    await own.restart();
    proxy.redirect(own.address);
    proxy.onRequest = () => {};
    expect((await sync(place.file)).exitCode).toBe(0);
    await expectWhole(place, address);
  }, 120_000);

  test("of two servers one is killed for good: the other does all that is left", async () => {
    await using first = await startServer("llama-cpp");
    await using second = await startServer("llama-cpp");
    const proxies = await Promise.all(
      [first, second].map((server) => RecordingProxy.open(server.address)),
    );
    const [left, right] = proxies;
    if (left === undefined || right === undefined) throw new TypeError("There are two proxies.");
    let killed: Promise<void> | undefined;
    left.onRequest = (request) => {
      if (request === during) killed = first.kill();
    };
    const place = await placeBehind(proxies.map(({ url }) => url));
    const { summary, exitCode } = await sync(place.file);
    await killed;
    expect(summary).toMatchObject({ status: "succeeded", documents: { added: pages, failed: 0 } });
    expect(exitCode).toBe(0);
    expect(left.lost).toBeGreaterThan(0);
    expect(right.requests).toBeGreaterThan(left.requests);
    expectOnce(proxies, summary.chunks.embedded);
    await expectWhole(place, address);
  }, 120_000);
});
