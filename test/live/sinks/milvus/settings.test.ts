import type { MilvusClient } from "@zilliz/milvus2-sdk-node";
import { MilvusClient as Client } from "@zilliz/milvus2-sdk-node";
import { expect, it, onTestFinished } from "vitest";
import { installServer } from "../../../../scripts/servers/install-server.ts";
import { milvus } from "../../../../scripts/servers/milvus.ts";
import { RunningServer } from "../../../../scripts/servers/running-server.ts";
import type { Collection, Sink } from "../../../../src/contracts/index.ts";
import { makeRecords, specOf, toDelete, toUpsert } from "../../../../src/testkit/sink-harness.ts";
import { describeLive } from "../../support/live-servers.ts";
import { makeMilvusSink } from "../../support/milvus-sink.ts";

const { signal } = new AbortController();

/** A Milvus of our own, with settings that the shared one does not have. */
async function startMilvus(settings: Readonly<Record<string, string>>): Promise<string> {
  const kind: typeof milvus = {
    ...milvus,
    async launch(place) {
      const launch = await milvus.launch(place);
      return { ...launch, environment: { ...launch.environment, ...settings } };
    },
    async ready(place, given) {
      // A server that wants a login says so when it is ready.
      await milvus.ready(place, given).catch((error: unknown) => {
        if (!String(error).includes("status 16")) throw error;
      });
    },
  };
  const server = await RunningServer.start(kind, await installServer(kind, { report: () => {} }));
  onTestFinished(() => server.stop());
  return server.address;
}

function makeSink(address: string, config: Readonly<Record<string, unknown>> = {}): Sink {
  const sink = makeMilvusSink(address, "handbook", config);
  onTestFinished(() => sink.close());
  return sink;
}

async function create(address: string): Promise<Collection> {
  const sink = makeSink(address);
  return sink.create(specOf({ dimension: 256 }, sink), signal);
}

async function connectAs(address: string, username: string, password: string) {
  const client: MilvusClient = new Client({ address, username, password, logLevel: "error" });
  onTestFinished(async () => void (await client.closeConnection()));
  await client.connectPromise;
  return client;
}

// Where this one can be started, others can.
describeLive("milvus", () => {
  it("a login is asked for, and each lack of one is told", { timeout: 120_000 }, async () => {
    const address = await startMilvus({ COMMON_SECURITY_AUTHORIZATIONENABLED: "true" });
    const login = { code: "sink.unauthorized", retry: "never", scope: "component" };
    await expect
      .poll(() => makeSink(address, { token: "root:Milvus" }).describe(signal), { timeout: 30_000 })
      .toBeUndefined();
    for (const config of [
      {},
      { token: "root:wrong-secret" },
      { username: "nobody", password: "wrong-secret" },
    ]) {
      const sink = makeSink(address, config);
      for (const call of [
        () => sink.describe(signal),
        () => sink.check(signal),
        () => sink.create(specOf({}, sink), signal),
      ]) {
        await expect(call()).rejects.toMatchObject({
          ...login,
          message: expect.stringContaining("Check `token`, or `username` and `password`."),
        });
        await expect(call()).rejects.toMatchObject({
          message: expect.not.stringContaining("wrong-secret"),
        });
      }
    }
    const root = makeSink(address, { username: "root", password: "Milvus" });
    const collection = await root.create(specOf({}, root), signal);
    await collection.write(makeRecords(3, 8).map(toUpsert), signal);
    const client = await connectAs(address, "root", "Milvus");
    await client.createUser({ username: "reader", password: "Reader1" });
    const reader = makeSink(address, { token: "reader:Reader1" });
    await expect(reader.describe(signal)).rejects.toMatchObject({
      ...login,
      message: expect.stringMatching(/the user lacks a privilege.*Privilege\w+: permission deny/s),
    });
    expect(await root.describe(signal)).toMatchObject({ records: 3 });
  });

  it("a rate that is exceeded is told, and passes", { timeout: 120_000 }, async () => {
    const address = await startMilvus({
      QUOTAANDLIMITS_ENABLED: "true",
      QUOTAANDLIMITS_DML_ENABLED: "true",
      QUOTAANDLIMITS_DML_INSERTRATE_MAX: "0.5",
      QUOTAANDLIMITS_DML_UPSERTRATE_MAX: "0.5",
      QUOTAANDLIMITS_QUOTACENTERCOLLECTINTERVAL: "1",
    });
    const collection = await create(address);
    const operations = makeRecords(200, 256).map(toUpsert);
    const refused = async (): Promise<unknown> =>
      collection.write(operations, signal).then(
        () => undefined,
        (error: unknown) => error,
      );
    await expect.poll(refused, { timeout: 30_000, interval: 1 }).toMatchObject({
      code: "sink.rate-limited",
      retry: "later",
      scope: "component",
      ambiguous: false,
    });
    await expect.poll(refused, { timeout: 30_000 }).toBeUndefined();
    expect(await collection.count(undefined, signal)).toBeGreaterThan(0);
  });

  it(
    "a server that takes no writes is told, before a run and in one",
    { timeout: 120_000 },
    async () => {
      const address = await startMilvus({
        QUOTAANDLIMITS_ENABLED: "true",
        QUOTAANDLIMITS_DML_ENABLED: "true",
        QUOTAANDLIMITS_LIMITWRITING_FORCEDENY: "true",
        QUOTAANDLIMITS_QUOTACENTERCOLLECTINTERVAL: "1",
      });
      const collection = await create(address);
      const [record] = makeRecords(1, 256);
      const denied = { code: "sink.full", retry: "never", scope: "component", ambiguous: false };
      await expect
        .poll(() => collection.write([toUpsert(record!)], signal).catch((error: unknown) => error))
        .toMatchObject(denied);
      await expect(collection.write([toDelete(record!)], signal)).rejects.toMatchObject(denied);
      await expect(makeSink(address).check(signal)).rejects.toMatchObject(denied);
      expect(await collection.count(undefined, signal)).toBe(0);
    },
  );
});
