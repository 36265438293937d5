import { expect, onTestFinished, test } from "vitest";
import { startServer } from "../../../scripts/servers/start-server.ts";
import { run, type RunEvent, type RunResult } from "../../../src/engine/index.ts";
import { loadPipeline } from "../../../src/load-pipeline.ts";
import { documents, Workplace } from "../../e2e/cli/support/workplace.ts";
import { describeLive } from "../support/live-servers.ts";
import { keysLike } from "./support/redis-place.ts";

const password = "hunter22";

/** A pipeline with its own state and store, and the cache that it may share. */
function pipelineText(name: string, cache: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({
    name,
    sources: { docs: { type: "files", root: "docs" } },
    embedder: { type: "lexical", native_dimension: 256 },
    sinks: { search: { type: "lancedb", uri: "index", collection: name } },
    cache: { type: "redis", timeout_ms: 1_000, ...cache },
    limits: { documents: 4 },
  });
}

async function makeWorkplace(url: string, count: number): Promise<Workplace> {
  const place = await Workplace.make({
    ...documents(count),
    "one.yaml": pipelineText("one", { url }),
    "two.yaml": pipelineText("two", { url, storage: "float16" }),
  });
  onTestFinished(() => place[Symbol.asyncDispose]());
  return place;
}

async function runOne(
  place: Workplace,
  file: string,
  observe: (event: RunEvent) => void = () => {},
): Promise<RunResult> {
  return run(await loadPipeline(`${place.folder}/${file}`), { observe });
}

describeLive("redis", () => {
  test("what one machine embeds, another finds, and the summary tells how much", async () => {
    await using server = await startServer("redis");
    const place = await makeWorkplace(server.address, 30);
    const first = await runOne(place, "one.yaml");
    expect(first.summary).toMatchObject({
      status: "succeeded",
      chunks: { total: 30, embedded: 30, cached: 0 },
      cache: { hits: 0, misses: 30, hit_rate: 0 },
    });
    const second = await runOne(place, "two.yaml");
    expect(second.summary).toMatchObject({
      status: "succeeded",
      chunks: { total: 30, embedded: 0, cached: 30 },
      cache: { hits: 30, misses: 0, hit_rate: 1 },
    });
    expect(await keysLike(server.address, "sluice:1:*:*")).toHaveLength(30);
  });

  test("a server that is killed in the midst of a run, and comes back, loses nothing", async () => {
    await using server = await startServer("redis");
    const place = await makeWorkplace(server.address, 80);
    let settled = 0;
    let ending: Promise<void> | undefined;
    const notes: string[] = [];
    const { summary, exitCode } = await runOne(place, "one.yaml", (event) => {
      if (event.kind === "component-noted") notes.push(`${event.component}: ${event.note.message}`);
      if (event.kind !== "document-settled") return;
      settled += 1;
      if (settled === 10) ending = server.kill();
      if (settled === 50) ending = (ending ?? Promise.resolve()).then(() => server.restart());
    });
    await ending;
    expect({ exitCode, documents: summary.documents }).toMatchObject({
      exitCode: 0,
      documents: { listed: 80, added: 80, failed: 0 },
    });
    expect(notes[0]).toMatch(/^cache: the embedding cache `redis:.*goes on without it/);
    const verified = await place.sluice("verify", "one.yaml", "--json");
    expect(verified.json()).toMatchObject({
      sinks: { search: { expected: 80, present: 80, missing: 0, orphaned: 0, stale: 0 } },
    });
    const again = await runOne(place, "two.yaml");
    expect(again.summary).toMatchObject({ status: "succeeded", documents: { added: 80 } });
    expect(again.summary.chunks.embedded + again.summary.chunks.cached).toBe(80);
  });

  test("the commands tell of the cache, and never its password", async () => {
    await using server = await startServer("redis");
    const { host } = new URL(server.address);
    const url = `redis://:${password}@${host}`;
    const place = await makeWorkplace(url, 3);
    const wrong = await place.sluice("run", "one.yaml");
    expect(wrong.code).toBe(5);
    expect(wrong.stderr).toContain("refuses the credentials");
    const doctor = await place.sluice("doctor", "one.yaml", "--json");
    const { checks } = doctor.json<{ checks: Record<string, unknown>[] }>();
    const check = checks.find(({ component }) => component === "cache");
    expect(check).toMatchObject({
      ok: false,
      message: expect.stringContaining("refuses the credentials"),
    });

    await place.write("one.yaml", pipelineText("one", { url: `redis://${host}` }));
    expect((await place.sluice("run", "one.yaml")).code).toBe(0);
    const stats = await place.sluice("cache", "stats", "one.yaml", "--json");
    expect(stats.json()).toEqual({
      url: `redis://${host}`,
      prefix: "sluice:",
      entries: 3,
      bytes: 3 * 256 * 4,
    });
    const said = await place.sluice("cache", "stats", "one.yaml");
    expect(said.stdout).toMatch(/redis:\/\/127.*\(sluice:\*\): 3 embeddings, 3/);
    const cleared = await place.sluice("cache", "clear", "one.yaml", "--yes");
    expect([cleared.code, cleared.stdout]).toEqual([0, expect.stringContaining("removed 3")]);
    expect(await keysLike(server.address, "*")).toEqual([]);
    await server.kill();
    const away = await place.sluice("cache", "stats", "two.yaml");
    expect(away.code).toBe(5);
    const planned = await place.sluice("plan", "two.yaml");
    expect([planned.code, planned.stderr]).toEqual([0, expect.stringContaining("does not answer")]);
    const healthy = await place.sluice("run", "two.yaml");
    expect([healthy.code, healthy.stderr]).toEqual([
      0,
      expect.stringMatching(/^cache: the embedding cache .* does not answer/m),
    ]);
    for (const { stdout, stderr } of [
      wrong,
      doctor,
      stats,
      said,
      cleared,
      away,
      planned,
      healthy,
    ]) {
      expect(stdout + stderr).not.toContain(password);
    }
  });
});
