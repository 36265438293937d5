import { describe, expect, it } from "vitest";
import { verify } from "../../../src/engine/index.ts";
import { ChangingFolder } from "../support/changing-folder.ts";
import { makePineconePlace, namespace, rawIndex } from "../support/pinecone-place.ts";
import { pick, randomFrom } from "../support/prose.ts";
import { startRun } from "../support/run-process.ts";
import { begunIn } from "../support/state-file.ts";
import {
  expectFresh,
  expectKept,
  expectMended,
  expectWrittenAnew,
} from "../support/store-stories.ts";
import { sync } from "../support/sync.ts";

describe("a folder kept in pinecone", () => {
  it("is kept through edits and deletions, verified, found, adopted and forgotten", async () => {
    await expectKept(await makePineconePlace());
  });

  it("is mended where somebody else was at the records", async () => {
    const place = await makePineconePlace();
    await expectMended(place, async (lost, stale) => {
      const index = await rawIndex(place);
      await index.deleteOne({ id: idOf(lost) });
      await index.update({ id: idOf(stale), metadata: { fingerprint: "x" } });
      const orphan = { pipeline: "handbook", document: "docs:gone.md", source: "docs" };
      const values = [1, ...Array.from<number>({ length: 63 }).fill(0)];
      await index.upsert({ records: [{ id: "orphan", values, metadata: orphan }] });
      await index.upsert({ records: [{ id: "theirs", values, metadata: { pipeline: "other" } }] });
    });
  });

  it("is written anew, and nothing is embedded, when its namespace was deleted", async () => {
    const place = await makePineconePlace();
    const drop = async () => (await rawIndex(place)).deleteNamespace(namespace);
    await expectWrittenAnew(place, drop, ["sinks.search.visibility_timeout_ms=300"]);
  });

  it("lives through rate limits and errors, and says so when they do not end", async () => {
    const place = await makePineconePlace();
    await new ChangingFolder(place, randomFrom(10)).add(8, 4);
    let upserts = 0;
    place.emulator.behave(({ operation }) => {
      if (operation !== "upsert") return undefined;
      upserts += 1;
      return upserts % 2 === 1 ? { kind: "rate-limit", retryAfter: "0" } : undefined;
    });
    expect((await sync(place.file)).exitCode).toBe(0);
    await expectFresh(place);
    await place.write("more.md", "More.\n");
    place.emulator.behave({ kind: "status", status: 401 });
    const { summary } = await sync(place.file);
    expect(summary).toMatchObject({ error: { code: "sink.unauthorized" } });
    expect(JSON.stringify(summary)).not.toContain(place.apiKey);
  });
});

const kills = 8;

/** What becomes of the request at which the process is killed. */
const endings = [
  undefined,
  { kind: "reset" },
  { kind: "lost-answer" },
  { kind: "late", ms: 300 },
] as const;

it(`equals a fresh index after ${kills} SIGKILLs at requests of every kind, some of which land late`, async () => {
  const place = await makePineconePlace();
  const random = randomFrom(11);
  const folder = new ChangingFolder(place, random);
  await folder.add(30, 4);
  let killed = 0;
  let torn = 0;
  for (let round = 0; killed < kills && round < 3 * kills; round += 1) {
    await folder.edit(8);
    await folder.remove(1);
    await folder.add(2, 4);
    await using child = startRun(place.file, "--allow-deletions");
    let left = 1 + pick(random, 10);
    const ending = endings[round % endings.length];
    place.emulator.behave(({ operation }) => {
      if (operation !== "upsert" && operation !== "delete") return undefined;
      left -= 1;
      if (left !== 0) return undefined;
      void child.kill();
      return ending;
    });
    const { signal } = await child.ended;
    place.emulator.behave(undefined);
    if (signal === "SIGKILL") killed += 1;
    if (begunIn(place.state).size > 0) torn += 1;
  }
  expect(killed).toBe(kills);
  expect(torn).toBeGreaterThan(kills / 3);
  const last = await startRun(place.file, "--allow-deletions").ended;
  expect(last).toMatchObject({ code: 0 });
  await place.emulator.landed();
  expect(begunIn(place.state).size).toBe(0);
  await expectFresh(place);
  expect((await place.use((pipeline) => verify(pipeline))).exitCode).toBe(0);
}, 120_000);

function idOf(record: unknown): string {
  return (record as { readonly id: string }).id;
}
