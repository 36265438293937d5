import { describe, expect, it } from "vitest";
import {
  makeMarker,
  makeRecord,
  makeRecords,
  scanIds,
  toDelete,
  toUpsert,
  upsertAll,
  writeAll,
} from "../../../../src/testkit/sink-harness.ts";
import { describeLive } from "../../support/live-servers.ts";
import { create, dimension, signal, useSink } from "../../support/weaviate-collection.ts";
import { askWeaviate } from "../../support/weaviate-sink.ts";
import { startWeaviate } from "../../support/weaviate-server.ts";

const limit = 120_000;

/** Each starts a server of its own; the shared one only tells that servers can be started. */
describeLive("weaviate", () => {
  describe("with settings of its own", () => {
    it(
      "that wants keys refuses a wrong one, and one that may only read, by name",
      async () => {
        await using server = await startWeaviate({
          AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED: "false",
          AUTHENTICATION_APIKEY_ENABLED: "true",
          AUTHENTICATION_APIKEY_ALLOWED_KEYS: "writes-key,reads-key",
          AUTHENTICATION_APIKEY_USERS: "writer,reader",
          AUTHORIZATION_ADMINLIST_ENABLED: "true",
          AUTHORIZATION_ADMINLIST_USERS: "writer",
          AUTHORIZATION_ADMINLIST_READONLY_USERS: "reader",
        });
        const { ports } = server;
        for (const api_key of [undefined, "wrong-key"]) {
          const sink = useSink(ports, api_key === undefined ? {} : { api_key });
          const error: unknown = await sink.describe(signal).catch((reason: unknown) => reason);
          expect(error).toMatchObject({ code: "sink.unauthorized", retry: "never" });
          expect(String(error)).toContain("Check `api_key`");
          expect(String(error)).not.toContain("wrong-key");
        }
        const sink = useSink(ports, { api_key: "writes-key" });
        const collection = await create(sink);
        const records = makeRecords(3, dimension);
        await upsertAll(collection, records, signal);
        const reader = useSink(ports, { api_key: "reads-key", collection: sink.collection });
        expect((await reader.describe(signal))?.records).toBe(3);
        const opened = await reader.open(signal);
        for (const operations of [records.map(toUpsert), records.map(toDelete)]) {
          await expect(opened.write(operations, signal)).rejects.toMatchObject({
            code: "sink.unauthorized",
          });
        }
        const stranger = useSink(ports, { api_key: "reads-key" });
        await expect(create(stranger)).rejects.toThrow(/this key may not do that/);
      },
      limit,
    );

    it(
      "that makes schemas by itself does not bring a dropped collection back to life unnoticed",
      async () => {
        await using server = await startWeaviate({ AUTOSCHEMA_ENABLED: "true" });
        const { ports } = server;
        for (const tenant of [undefined, "acme"]) {
          const sink = useSink(ports, tenant === undefined ? {} : { tenant });
          const collection = await create(sink);
          await collection.setMarker(makeMarker(dimension), signal);
          await upsertAll(collection, makeRecords(3, dimension), signal);
          await askWeaviate(ports, "DELETE", `/schema/${sink.collection}`);
          const write = collection.write(makeRecords(3, dimension).map(toUpsert), signal);
          await expect(write).rejects.toMatchObject({ code: "sink.missing" });
          expect((await askWeaviate(ports, "GET", `/schema/${sink.collection}`)).status).toBe(404);
        }
      },
      limit,
    );

    it(
      "that indexes asynchronously is waited for until vectors can be found",
      async () => {
        await using server = await startWeaviate({ ASYNC_INDEXING: "true" });
        const { ports } = server;
        for (const index of ["hnsw", "dynamic"]) {
          const wish = { create: { index, dynamic_threshold: 300 } };
          const sink = useSink(ports, wish);
          const collection = await create(sink);
          const records = makeRecords(1_000, dimension);
          const outcomes = await Promise.all(
            [0, 250, 500, 750].map((start) =>
              collection.write(records.slice(start, start + 250).map(toUpsert), signal),
            ),
          );
          expect(await collection.count(undefined, signal)).toBe(1_000);
          for (const { failed, visible } of outcomes) {
            expect(failed.size).toBe(0);
            await collection.waitVisible?.(visible ?? {}, signal);
          }
          const { vector } = makeRecord(1, dimension);
          expect(await collection.search({ vector, k: 1_000 }, signal)).toHaveLength(1_000);
          await writeAll(collection, records.map(toDelete), signal);
          expect(await collection.search({ vector, k: 10 }, signal)).toEqual([]);
        }
      },
      limit,
    );

    it(
      "that gives and takes little at once is asked for little, and nothing is lost",
      async () => {
        await using server = await startWeaviate({
          QUERY_MAXIMUM_RESULTS: "50",
          GRPC_MAX_MESSAGE_SIZE: "1000000",
          MAXIMUM_ALLOWED_COLLECTIONS_COUNT: "2",
        });
        const { ports } = server;
        const collection = await create(useSink(ports));
        expect(collection.limits.bytesPerWrite).toBeLessThan(1_000_000);
        const long = makeRecords(60, dimension).map((record) => ({
          ...record,
          text: "long ".repeat(6_000),
        }));
        const short = makeRecords(400, dimension);
        for (let start = 0; start < long.length; start += 10) {
          await upsertAll(collection, long.slice(start, start + 10), signal);
        }
        await upsertAll(collection, short, signal);
        const ids = [...long, ...short].map(({ id }) => id);
        const read = await collection.read(ids, { vectors: true }, signal);
        expect(read.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
        expect((await scanIds(collection, "law", signal)).toSorted()).toEqual(ids.toSorted());
        await writeAll(collection, short.map(toDelete), signal);
        expect(await collection.count(undefined, signal)).toBe(long.length);
        await expect(
          collection.write(long.slice(0, 40).map(toUpsert), signal),
        ).rejects.toMatchObject({ code: "sink.too-large", retry: "smaller", ambiguous: false });
        await create(useSink(ports));
        await expect(create(useSink(ports))).rejects.toMatchObject({
          code: "sink.full",
          retry: "never",
        });
      },
      limit,
    );

    it(
      "has what it acknowledged after `kill -9` and a restart, and the collection goes on by itself",
      async () => {
        await using server = await startWeaviate();
        const { ports } = server;
        const sink = useSink(ports);
        const collection = await create(sink);
        const marker = makeMarker(dimension);
        await collection.setMarker(marker, signal);
        const records = makeRecords(500, dimension);
        await upsertAll(collection, records, signal);
        await writeAll(collection, records.slice(0, 100).map(toDelete), signal);
        await server.kill();
        const lost = collection.write(makeRecords(1, dimension).map(toUpsert), signal);
        await expect(lost).rejects.toMatchObject({ code: "sink.unreachable", retry: "later" });
        await server.restart();
        const more = makeRecords(5, dimension);
        await upsertAll(collection, more, signal);
        const ids = [...records.slice(100), ...more].map(({ id }) => id);
        expect((await scanIds(collection, "law", signal)).toSorted()).toEqual(ids.toSorted());
        expect(await sink.describe(signal)).toMatchObject({ marker, records: ids.length });
      },
      limit,
    );
  });
});
