import { describe, expect, it, onTestFinished } from "vitest";
import type { Collection, CollectionMarker } from "../../../../src/contracts/index.ts";
import { retry, systemClock } from "../../../../src/flow/index.ts";
import { makeMarker, makeRecord, specOf, toUpsert } from "../../../../src/testkit/sink-harness.ts";
import { describeLive } from "../../support/live-servers.ts";
import { milvusServers, newName } from "../../support/milvus-sink.ts";
import { useMilvus } from "../../support/use-milvus.ts";

const { signal } = new AbortController();
const policy = { attempts: 5, baseMs: 50, maxMs: 500, totalMs: 10_000 };

/** A marker as large as three probes of 4,096 numbers make it. */
function largeMarker(): CollectionMarker {
  const probe = Buffer.alloc(3 * 4_096 * 4, 7).toString("base64");
  return makeMarker(8, { probe });
}

for (const name of milvusServers) {
  describeLive(name, ({ address }) => {
    const milvus = useMilvus(address);

    describe("the marker", () => {
      it("of 65 KB is kept, is no record, and goes with its collection", async () => {
        const { collection, sink, opened } = await milvus.create();
        const marker = largeMarker();
        expect(JSON.stringify(marker).length).toBeGreaterThan(65_535);
        await opened.setMarker(marker, signal);
        await opened.write([toUpsert(makeRecord(1, 8))], signal);
        expect((await sink.describe(signal))?.marker).toEqual(marker);
        const vector = makeRecord(2, 8).vector;
        expect(await opened.search({ vector, k: 10 }, signal)).toHaveLength(1);
        await milvus.client.dropCollection({ collection_name: collection });
        const anew = milvus.makeSink(collection);
        await anew.create(specOf({}, anew), signal);
        expect((await anew.describe(signal))?.marker).toBeUndefined();
      });

      it("keeps what two pipelines mark at one moment", async () => {
        const { collection, opened } = await milvus.create();
        const marker = makeMarker(8, { pipelines: {} });
        await opened.setMarker(marker, signal);
        const pipelines = ["one", "two"];
        const marking = pipelines.map(async (pipeline): Promise<void> => {
          const sink = milvus.makeSink(collection, {}, { pipeline });
          const seen = (await sink.describe(signal))?.marker ?? marker;
          const own: Collection = await sink.open(signal);
          const marked = { ...seen.pipelines, [pipeline]: { stateId: pipeline, runSeq: 1 } };
          const set = (): Promise<void> => own.setMarker({ ...seen, pipelines: marked }, signal);
          // One of two may be refused at the same moment; the engine tries again.
          await retry(
            set,
            { policy, clock: systemClock, random: () => 1, ambiguous: true },
            signal,
          );
        });
        await Promise.all(marking);
        const watcher = milvus.makeSink(collection);
        const { pipelines: kept = {} } = (await watcher.describe(signal))?.marker ?? {};
        expect(Object.keys(kept).toSorted()).toEqual(pipelines);
      });
    });

    describe("an alias", () => {
      it("may stand for the collection, and is refused when it moves to another", async () => {
        const { collection, sink, opened } = await milvus.create();
        const { collection: other } = await milvus.create();
        const alias = newName();
        onTestFinished(async () => sink.aliases?.remove(alias, signal));
        await sink.aliases?.point(alias, collection, signal);
        const named = milvus.makeSink(alias);
        const through = await named.open(signal);
        await through.setMarker(makeMarker(8), signal);
        await through.write([toUpsert(makeRecord(1, 8))], signal);
        expect(await opened.count(undefined, signal)).toBe(1);
        expect(await sink.describe(signal)).toMatchObject({ records: 1 });
        await sink.aliases?.point(alias, other, signal);
        await expect(through.write([toUpsert(makeRecord(2, 8))], signal)).rejects.toMatchObject({
          code: "sink.missing",
        });
        expect(await named.describe(signal)).toMatchObject({ records: 0 });
      });

      it("is listed, moved and removed, also when it is not there", async () => {
        const { collection, sink } = await milvus.create();
        const { collection: other } = await milvus.create();
        const alias = newName();
        const aliases = sink.aliases!;
        await aliases.remove(alias, signal);
        await aliases.point(alias, collection, signal);
        expect((await aliases.list(signal)).get(alias)).toBe(collection);
        await aliases.point(alias, collection, signal);
        await aliases.point(alias, other, signal);
        expect((await aliases.list(signal)).get(alias)).toBe(other);
        await expect(aliases.point(alias, newName(), signal)).rejects.toMatchObject({
          code: "sink.missing",
          message: expect.stringContaining(`The alias \`${alias}\` cannot be set`),
        });
        expect((await aliases.list(signal)).get(alias)).toBe(other);
        await expect(aliases.point(collection, other, signal)).rejects.toMatchObject({
          code: "sink.rejected",
          message: expect.stringContaining("the name is taken"),
        });
        await aliases.remove(alias, signal);
        expect((await aliases.list(signal)).has(alias)).toBe(false);
      });
    });

    describe("a database", () => {
      it("holds collections apart from those of the same name in another", async () => {
        const database = newName();
        const { collection, opened } = await milvus.create();
        await milvus.client.createDatabase({ db_name: database });
        const inside = milvus.makeSink(collection, { database });
        expect(await inside.describe(signal)).toBeUndefined();
        const apart = await inside.create(specOf({}, inside), signal);
        await apart.write([toUpsert(makeRecord(1, 8))], signal);
        expect(await opened.count(undefined, signal)).toBe(0);
        expect(await apart.count(undefined, signal)).toBe(1);
        await milvus.client.dropCollection({ collection_name: collection, db_name: database });
        await milvus.client.dropDatabase({ db_name: database });
      });

      it("that does not exist is told by name, before anything is made", async () => {
        const sink = milvus.makeSink(newName(), { database: "nobody" });
        for (const call of [
          () => sink.describe(signal),
          () => sink.check(signal),
          () => sink.create(specOf({}, sink), signal),
        ]) {
          await expect(call()).rejects.toMatchObject({
            code: "sink.missing",
            retry: "never",
            message: expect.stringMatching(/database.*correct `database`/s),
          });
        }
      });
    });
  });
}
