import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { makeMarker, makeRecords, toUpsert } from "../../../../src/testkit/sink-harness.ts";
import { describeLive } from "../../support/live-servers.ts";
import {
  create,
  dimension,
  signal,
  useClient,
  useSink,
} from "../../support/weaviate-collection.ts";
import { addressesOf, askWeaviate, makeWeaviateSink } from "../../support/weaviate-sink.ts";

describeLive("weaviate", ({ ports }) => {
  describe("the marker of a collection", () => {
    it("of 70 KB is kept, and found by no search of the official client", async () => {
      const sink = useSink(ports);
      const collection = await create(sink);
      const probe = Buffer.alloc(52_000, 7).toString("base64");
      const marker = makeMarker(dimension, { probe });
      await collection.setMarker(marker, signal);
      const records = makeRecords(3, dimension);
      await collection.write(records.map(toUpsert), signal);
      expect((await sink.describe(signal))?.marker).toEqual(marker);

      const { query } = (await useClient(ports)).collections.use(sink.collection);
      const ids = records.map(({ id }) => id).toSorted();
      const [first] = records;
      const vector = [...(first?.vector ?? [])];
      const found = await Promise.all([
        query.nearVector(vector, { limit: 100 }),
        query.bm25("Text number incarnation model law probe", { limit: 100 }),
        query.hybrid("Text number incarnation model law", { vector, limit: 100 }),
        query.nearObject(ids[0] ?? "", { limit: 100 }),
      ]);
      for (const { objects } of found) {
        expect(objects.map(({ uuid }) => uuid).toSorted()).toEqual(ids);
      }
    });

    it("takes an object for each pipeline and two for all, and records are counted without them", async () => {
      const sink = useSink(ports);
      const collection = await create(sink);
      await collection.setMarker(makeMarker(dimension), signal);
      const client = await useClient(ports);
      const { aggregate } = client.collections.use(sink.collection);
      expect((await aggregate.overAll()).totalCount).toBe(3);
      expect(await collection.count(undefined, signal)).toBe(0);
      expect((await sink.describe(signal))?.records).toBe(0);
    });

    it("keeps the marks of pipelines that mark at one moment, each with what it saw before", async () => {
      const name = useSink(ports);
      const first = await create(name);
      const marker = makeMarker(dimension, { pipelines: {} });
      await first.setMarker(marker, signal);
      const pipelines = Array.from({ length: 8 }, (_, index) => `pipeline-${index}`);
      const marks = await Promise.all(
        pipelines.map(async (pipeline) => {
          const sink = makeWeaviateSink(
            { ...addressesOf(ports), collection: name.collection },
            { pipeline },
          );
          const collection = await sink.open(signal);
          return { sink, collection, pipeline, mark: { stateId: randomUUID(), runSeq: 1 } };
        }),
      );
      await Promise.all(
        marks.map(({ collection, pipeline, mark }) =>
          collection.setMarker({ ...marker, pipelines: { [pipeline]: mark } }, signal),
        ),
      );
      const expected = Object.fromEntries(marks.map(({ pipeline, mark }) => [pipeline, mark]));
      expect((await name.describe(signal))?.marker).toEqual({ ...marker, pipelines: expected });
      await Promise.all(marks.map(({ sink }) => sink.close()));
    });

    it("does not change the schema, so that nobody's writes fail meanwhile", async () => {
      const sink = useSink(ports);
      const collection = await create(sink);
      const before = await askWeaviate(ports, "GET", `/schema/${sink.collection}`);
      let marking = true;
      const writing = Promise.all(
        [1, 2].map(async () => {
          let written = 0;
          while (marking) {
            const { failed } = await collection.write(
              makeRecords(5, dimension).map(toUpsert),
              signal,
            );
            expect(failed.size).toBe(0);
            written += 5;
          }
          return written;
        }),
      );
      const marker = makeMarker(dimension);
      for (let runSeq = 1; runSeq <= 30; runSeq += 1) {
        const pipelines = { law: { stateId: "s", runSeq } };
        await collection.setMarker({ ...marker, pipelines }, signal);
      }
      marking = false;
      const [one = 0, two = 0] = await writing;
      expect(one + two).toBe(await collection.count(undefined, signal));
      expect(await askWeaviate(ports, "GET", `/schema/${sink.collection}`)).toEqual(before);
    });

    it("that a newer sluice wrote, or somebody changed, is refused as foreign", async () => {
      const sink = useSink(ports);
      const collection = await create(sink);
      await collection.setMarker(makeMarker(dimension), signal);
      const { data } = (await useClient(ports)).collections.use(sink.collection);
      const id = "736c7569-6365-8000-8000-000000000000";
      for (const sluice of ['{"version":2}', "{", "[]"]) {
        await data.replace({ id, properties: { sluice } });
        await expect(sink.describe(signal)).rejects.toMatchObject({ code: "sink.foreign" });
      }
    });
  });

  describe("the marker of a tenant", () => {
    it("is gone when the tenant was deleted and made again, with the same records, by somebody else", async () => {
      const sink = useSink(ports, { tenant: "acme" });
      const collection = await create(sink);
      await collection.setMarker(makeMarker(dimension), signal);
      const records = makeRecords(3, dimension);
      await collection.write(records.map(toUpsert), signal);
      const path = `/schema/${sink.collection}/tenants`;
      await askWeaviate(ports, "DELETE", path, ["acme"]);
      expect(await sink.describe(signal)).toBeUndefined();
      await askWeaviate(ports, "POST", path, [{ name: "acme" }]);
      const client = await useClient(ports);
      await client.collections
        .use(sink.collection)
        .withTenant("acme")
        .data.insert({ id: records[0]?.id ?? "", properties: { text: "Theirs." } });
      const description = await sink.describe(signal);
      expect(description).toMatchObject({ records: 1 });
      expect(description?.marker).toBeUndefined();
      const write = collection.write(records.map(toUpsert), signal);
      await expect(write).rejects.toMatchObject({ code: "sink.missing" });
    });

    it("is another one in every tenant, and each has its own dimension", async () => {
      const acme = useSink(ports, { tenant: "acme" });
      await create(acme);
      const other = useSink(ports, { collection: acme.collection, tenant: "other" });
      expect(await other.describe(signal)).toBeUndefined();
      const collection = await other.create({ dimension: 3, metric: "cosine", fields: {} }, signal);
      expect((await other.describe(signal))?.dimension).toBe(3);
      expect((await acme.describe(signal))?.dimension).toBe(dimension);
      await collection.setMarker(makeMarker(3), signal);
      expect((await acme.describe(signal))?.marker).toBeUndefined();
      await expect(create(other)).rejects.toMatchObject({ code: "sink.rejected" });
    });
  });
});
