import { rename } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { documents, offlinePipeline, Workplace } from "./support/workplace.ts";

interface Summary {
  status: string;
  documents: Record<string, number>;
  chunks: { total: number; embedded: number; cached: number };
  error?: { code: string; message: string };
}

it("plans, runs, answers, verifies and reports, each with one JSON document", async () => {
  await using place = await Workplace.make({ "sluice.yaml": offlinePipeline, ...documents(3) });
  const before = await place.sluice("plan", "--check", "--json");
  expect(before.code).toBe(10);
  expect(before.json()).toMatchObject({
    to_do: true,
    documents: { listed: 3, add: 3 },
    sinks: [{ sink: "search", exists: false, dimension: 1024, action: "create" }],
  });
  const never = await place.sluice("status", "--json");
  expect(never.json()).toMatchObject({ exists: false, runs: [] });

  const run = await place.sluice("run", "--json");
  expect([run.code, run.json<Summary>().status]).toEqual([0, "succeeded"]);
  expect(run.json()).toMatchObject({
    pipeline: "handbook",
    documents: {
      listed: 3,
      added: 3,
      updated: 0,
      unchanged: 0,
      deleted: 0,
      withheld: 0,
      failed: 0,
    },
    sinks: { search: { dimension: 1024, upserted: 3, deleted: 0, failed: 0 } },
    failures: [],
  });

  const [plan, query, filtered, verify, status, cache, doctor] = await Promise.all([
    place.sluice("plan", "--check", "--json"),
    place.sluice("query", "what is topic1", "-k", "2", "--json"),
    place.sluice("query", "topic1", "--filter", "document=docs:page-2.md", "--json"),
    place.sluice("verify", "--json"),
    place.sluice("status", "--json"),
    place.sluice("cache", "stats", "--json"),
    place.sluice("doctor", "--json"),
  ]);
  expect([plan.code, plan.json<{ to_do: boolean }>().to_do]).toEqual([0, false]);
  const { hits } = query.json<{ hits: { document: string; text: string }[] }>();
  expect(hits).toHaveLength(2);
  expect(hits[0]).toMatchObject({ document: "docs:page-1.md" });
  expect(Object.keys(hits[0] ?? {})).toEqual(
    expect.arrayContaining(["id", "score", "document", "text", "metadata"]),
  );
  expect(filtered.json()).toMatchObject({ hits: [{ document: "docs:page-2.md" }] });
  expect(verify.json()).toEqual({
    sinks: {
      search: { expected: 3, present: 3, missing: 0, orphaned: 0, stale: 0, repaired: 0 },
    },
  });
  expect(status.json()).toMatchObject({
    documents: { total: 3, indexed: 3, failed: 0 },
    sources: [{ source: "docs", documents: 3 }],
    sinks: [{ sink: "search", dimension: 1024, documents: 3 }],
    runs: [{ status: "succeeded" }],
  });
  expect(cache.json<{ entries: number }>().entries).toBeGreaterThanOrEqual(3);
  expect(doctor.json()).toMatchObject({ ok: true });
  expect([query, verify, status, cache, doctor].map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
});

it("withholds the deletions of an emptied folder until it is told to let them go", async () => {
  await using place = await Workplace.make({ "sluice.yaml": offlinePipeline, ...documents(12) });
  await place.sluice("run");
  for (const path of Object.keys(documents(12))) await place.remove(path);

  const [plan, run] = [await place.sluice("plan"), await place.sluice("run")];
  expect([plan.code, run.code]).toEqual([4, 4]);
  expect(run.stderr).toContain("12 deletions withheld in source `docs`");
  expect(run.stderr).toContain("`sluice run --allow-deletions=12`");
  expect(run.stderr).toContain("docs:page-0.md");
  const query = await place.sluice("query", "topic3", "--json");
  expect(query.json<{ hits: unknown[] }>().hits.length).toBeGreaterThan(0);

  const few = await place.sluice("run", "--allow-deletions=11", "--json");
  expect([few.code, few.json<Summary>().documents["withheld"]]).toEqual([4, 12]);
  expect(few.json()).toMatchObject({
    error: { code: "refused.deletions", message: expect.stringContaining("--allow-deletions=12") },
  });
  const all = await place.sluice("run", "--allow-deletions=12", "sluice.yaml", "--json");
  expect([all.code, all.json<Summary>().documents["deleted"]]).toEqual([0, 12]);
});

it("tells how many deletions to allow of all sources together, and that many let them all go", async () => {
  const two = offlinePipeline.replace("sinks:", "  more: { type: files, root: more }\nsinks:");
  const pipeline = two.replace(/embedder:.*\n(.*\n)/, "$1embedder: { type: lexical }\n");
  const more = Object.entries(documents(12)).map(([path, text]) => [
    path.replace("docs/", "more/"),
    text,
  ]);
  const files = { ...documents(12), ...Object.fromEntries(more) };
  await using place = await Workplace.make({ "sluice.yaml": pipeline, ...files });
  expect((await place.sluice("run")).code).toBe(0);
  for (const path of Object.keys(files)) await place.remove(path);
  const hints: string[] = [];
  for (const command of ["plan", "run"]) {
    const { code, stderr } = await place.sluice(command);
    expect([command, code]).toEqual([command, 4]);
    hints.push(...(stderr.match(/--allow-deletions=\d+/g) ?? []));
  }
  expect(hints).toEqual(["--allow-deletions=24", "--allow-deletions=24"]);
  const all = await place.sluice("run", "--allow-deletions=24", "--json");
  expect([all.code, all.json<Summary>().documents["deleted"]]).toEqual([0, 24]);
});

it("refuses a lost state until the sink is adopted, and then embeds nothing", async () => {
  await using place = await Workplace.make({ "sluice.yaml": offlinePipeline, ...documents(4) });
  await place.sluice("run");
  for (const end of ["", "-wal", "-shm", ".lock"])
    await place.remove(`.sluice/handbook.sqlite${end}`);
  await place.remove(".sluice/cache.sqlite");

  const refused = await place.sluice("run");
  expect(refused.code).toBe(4);
  expect(refused.stderr).toContain("refused.state");
  expect(refused.stderr).toContain("`sluice adopt --sink search`");
  const adopted = await place.sluice("adopt", "--sink", "search", "--json");
  expect([adopted.code, adopted.json()]).toMatchObject([0, { documents: 4, records: 4 }]);
  const run = await place.sluice("run", "--json");
  expect(run.code).toBe(0);
  expect(run.json()).toMatchObject({ documents: { unchanged: 4 }, chunks: { embedded: 0 } });
});

it("mends with verify --repair what was lost, and forgets a sink with its records", async () => {
  await using place = await Workplace.make({ "sluice.yaml": offlinePipeline, ...documents(4) });
  await place.sluice("run");
  await rename(join(place.folder, ".sluice/index"), join(place.folder, ".sluice/away"));
  const damaged = await place.sluice("verify");
  expect(damaged.code).toBe(3);
  expect(damaged.stderr).toContain("`sluice verify --repair`");
  const repaired = await place.sluice("verify", "--repair", "--json");
  expect([repaired.code, repaired.json()]).toMatchObject([
    0,
    { sinks: { search: { missing: 0 } } },
  ]);

  const forgotten = await place.sluice(
    "forget",
    "--sink",
    "search",
    "--delete-records",
    "-y",
    "--json",
  );
  expect([forgotten.code, forgotten.json()]).toMatchObject([0, { records_deleted: 4 }]);
  const query = await place.sluice("query", "topic1", "--json");
  expect(query.json()).toEqual({ hits: [] });
});

it("runs several files one after the other and ends with the gravest code", async () => {
  const second = offlinePipeline
    .replace("handbook\n", "second\n")
    .replace("root: docs", "root: gone");
  await using place = await Workplace.make({
    "first.yaml": offlinePipeline,
    "second.yaml": second,
    ...documents(1),
  });
  const both = await place.sluice("run", "second.yaml", "first.yaml", "--json");
  expect(both.code).toBe(5);
  const { runs } = both.json<{ runs: (Summary & { pipeline: string })[] }>();
  expect(runs.map(({ pipeline, status }) => [pipeline, status])).toEqual([
    ["second", "failed"],
    ["handbook", "succeeded"],
  ]);
  expect(runs[0]?.error?.code).toBe("source.unreachable");
});
