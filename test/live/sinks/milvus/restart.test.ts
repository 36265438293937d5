import { expect, onTestFinished, test } from "vitest";
import { startServer } from "../../../../scripts/servers/start-server.ts";
import { makeMarker, makeRecord, specOf, toUpsert } from "../../../../src/testkit/sink-harness.ts";
import { describeLive } from "../../support/live-servers.ts";
import { makeMilvusSink, milvusServers, newName } from "../../support/milvus-sink.ts";

const { signal } = new AbortController();

for (const name of milvusServers) {
  describeLive(name, () => {
    test("a marker outlives a server that is killed, however often it was changed", async () => {
      await using own = await startServer(name);
      const sink = makeMilvusSink(own.address, newName());
      onTestFinished(() => sink.close());
      const created = await sink.create(specOf({}, sink), signal);
      await created.write([toUpsert(makeRecord(1, 8))], signal);
      for (const changes of [1, 2]) {
        const collection = await sink.open(signal);
        const before = (await sink.describe(signal))?.marker ?? makeMarker(8);
        for (let change = 1; change <= changes; change += 1) {
          const runSeq = 10 * changes + change;
          const pipelines = { law: { stateId: "b0c5f0a3-3f0b-4a52-9d5f-3d4c6f2f5a11", runSeq } };
          await collection.setMarker({ ...before, pipelines }, signal);
        }
        const { marker } = (await sink.describe(signal)) ?? {};
        expect(marker?.pipelines).toMatchObject({ law: { runSeq: 10 * changes + changes } });
        await own.kill();
        await own.restart();
        const seen = async () => (await sink.describe(signal).catch(() => undefined))?.marker;
        await expect.poll(seen, { timeout: 60_000, interval: 250 }).toEqual(marker);
      }
    }, 180_000);
  });
}
