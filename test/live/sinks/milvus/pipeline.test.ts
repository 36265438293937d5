import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MilvusClient } from "@zilliz/milvus2-sdk-node";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import type { Filter } from "../../../../src/contracts/index.ts";
import {
  adopt,
  closePipeline,
  forget,
  type Pipeline,
  query,
  verify,
} from "../../../../src/engine/index.ts";
import { loadPipeline } from "../../../../src/load-pipeline.ts";
import { ChangingFolder } from "../../../e2e/support/changing-folder.ts";
import { makePlace, type Place } from "../../../e2e/support/place.ts";
import { pick, randomFrom } from "../../../e2e/support/prose.ts";
import { startRun } from "../../../e2e/support/run-process.ts";
import { begunIn } from "../../../e2e/support/state-file.ts";
import { sync } from "../../../e2e/support/sync.ts";
import { until } from "../../../e2e/support/until.ts";
import { FaultyProxy } from "../../support/faulty-proxy.ts";
import { describeLive } from "../../support/live-servers.ts";
import { connectMilvus } from "../../support/milvus-client.ts";
import { milvusServers, newName } from "../../support/milvus-sink.ts";

const long = { timeout: 240_000 };

/** What two equal records have in common, without what says when they were written. */
const storedFields = "id vector text document title headings fingerprint edition metadata".split(
  " ",
);

type Row = Readonly<Record<string, unknown>>;

/** A pipeline with two collections of its own. */
interface MilvusPipeline {
  readonly place: Place;
  readonly folder: ChangingFolder;
  /** Collections by sink. */
  readonly collections: Readonly<Record<"full" | "small", string>>;
  /** Replaces the pipeline file. */
  configure(options: { readonly address?: string; readonly prefix?: string }): Promise<void>;
}

/** Makes of a pipeline file what a command makes of it. */
async function withPipeline<T>(place: Place, work: (pipeline: Pipeline) => Promise<T>): Promise<T> {
  const pipeline = await loadPipeline(place.file, { env: {} });
  try {
    return await work(pipeline);
  } finally {
    await closePipeline(pipeline);
  }
}

for (const name of milvusServers) {
  describeLive(name, (server) => {
    let client: MilvusClient;

    beforeAll(async () => {
      client = await connectMilvus(server.address);
    });

    afterAll(async () => {
      await client.closeConnection();
    });

    async function makePipeline(seed: number): Promise<MilvusPipeline> {
      const place = await makePlace();
      const collections = { full: newName(), small: newName() };
      const made = new Set<string>();
      onTestFinished(async () => {
        for (const collection_name of made) await client.dropCollection({ collection_name });
      });
      const configure: MilvusPipeline["configure"] = async ({
        address = server.address,
        prefix = "",
      }) => {
        const sinks = (["full", "small"] as const).map((sink) => {
          const collection = `${prefix}${collections[sink]}`;
          made.add(collection);
          const dimension = sink === "full" ? 512 : 64;
          return `  ${sink}: { type: milvus, address: "${address}", collection: ${collection}, dimension: ${dimension}, timeout_ms: 2000 }`;
        });
        const lines = [
          "name: handbook",
          "sources: { docs: { type: files, root: docs } }",
          "chunker: { type: structure, max_tokens: 96, overlap_tokens: 16 }",
          "embedder: { type: lexical }",
          "metadata: { edition: integer }",
          "sinks:",
          ...sinks,
          `state: { type: sqlite, path: ${prefix}state.sqlite }`,
          "cache: { type: sqlite, path: cache.sqlite }",
          "retry: { attempts: 2, base_ms: 1, max_ms: 5, total_ms: 2000 }",
        ];
        await writeFile(place.file, `${lines.join("\n")}\n`);
      };
      await configure({});
      return { place, folder: new ChangingFolder(place, randomFrom(seed)), collections, configure };
    }

    /** All records of a collection by id, read past sluice. */
    async function rowsOf(collection: string): Promise<ReadonlyMap<string, Row>> {
      const { status, data } = await client.query({
        collection_name: collection,
        filter: 'id >= ""',
        output_fields: storedFields,
        consistency_level: 0,
        limit: 16_384,
      });
      expect(status.code).toBe(0);
      // The client leaves the dynamic field as an object of its own.
      const rows = data.map(({ $meta, ...row }) => Object.assign(row, $meta) as Row);
      expect(new Set(rows.map((row) => row["id"])).size).toBe(rows.length);
      return new Map(rows.map((row) => [String(row["id"]), row]));
    }

    /** Both collections hold exactly what a pipeline that begins anew makes of the folder. */
    async function expectFresh({ place, collections, configure }: MilvusPipeline): Promise<void> {
      await configure({ prefix: "fresh_" });
      expect((await sync(place.file)).exitCode).toBe(0);
      await configure({});
      for (const collection of Object.values(collections)) {
        const rows = await rowsOf(collection);
        expect(rows.size).toBeGreaterThan(30);
        expect(rows).toEqual(await rowsOf(`fresh_${collection}`));
      }
    }

    it("two collections of different dimensions follow a folder, edit by edit", long, async () => {
      const pipeline = await makePipeline(1);
      const { place, folder, collections } = pipeline;
      await folder.add(20, 3);
      const first = await sync(place.file);
      expect(first).toMatchObject({ exitCode: 0, summary: { status: "succeeded" } });
      await folder.edit(6);
      await folder.remove(3);
      await folder.add(2, 4);
      await folder.touch(3);
      const second = await sync(place.file, { allowDeletions: Infinity });
      expect(second.exitCode).toBe(0);
      expect(second.summary.documents).toMatchObject({ added: 2, deleted: 3 });
      const third = await sync(place.file);
      expect(third.summary.sinks).toMatchObject({
        full: { dimension: 512, upserted: 0, deleted: 0 },
        small: { dimension: 64, upserted: 0, deleted: 0 },
      });
      for (const row of (await rowsOf(collections.small)).values()) {
        expect(row["vector"]).toHaveLength(64);
      }
      await expectFresh(pipeline);
    });

    it(
      "what was damaged is found and repaired, searched, adopted and forgotten",
      long,
      async () => {
        const { place, folder, collections } = await makePipeline(2);
        await folder.add(12, 3);
        expect((await sync(place.file)).exitCode).toBe(0);
        const before = await rowsOf(collections.full);
        const [gone, ...others] = [...before.keys()];
        await client.deleteEntities({
          collection_name: collections.full,
          filter: `id in ["${gone}"]`,
        });
        const damaged = await withPipeline(place, (pipeline) => verify(pipeline));
        expect(damaged.sinks).toMatchObject({ full: { missing: 1 }, small: { missing: 0 } });
        const repaired = await withPipeline(place, (pipeline) =>
          verify(pipeline, { repair: true }),
        );
        expect(repaired.exitCode).toBe(0);
        expect(await rowsOf(collections.full)).toEqual(before);

        const wanted = before.get(others[0] ?? "");
        const text = String(wanted?.["text"]);
        const edition = Number(wanted?.["edition"]);
        const ask = (filter: Filter) =>
          withPipeline(place, (pipeline) => query(pipeline, { text, sink: "full", k: 5, filter }));
        const { hits } = await ask([{ field: "edition", operator: "=", value: edition }]);
        expect(hits[0]?.text).toBe(text);
        expect(new Set(hits.map((hit) => hit.document))).toEqual(new Set([wanted?.["document"]]));
        const elsewhere = await ask([{ field: "edition", operator: ">", value: 1_000 }]);
        expect(elsewhere.hits).toEqual([]);

        const lost = await sync(place.file, {}, { set: ["state.path=other.sqlite"] });
        expect(lost.summary).toMatchObject({ status: "refused", error: { code: "refused.state" } });
        const adopting = await loadPipeline(place.file, {
          env: {},
          set: ["state.path=other.sqlite"],
        });
        for (const sink of ["full", "small"]) {
          const adopted = await adopt(adopting, { sink });
          expect(adopted).toMatchObject({ documents: 12, incomplete: 0 });
        }
        await closePipeline(adopting);
        const again = await sync(place.file, {}, { set: ["state.path=other.sqlite"] });
        expect(again.summary).toMatchObject({
          status: "succeeded",
          sinks: { full: { upserted: 0, deleted: 0 }, small: { upserted: 0, deleted: 0 } },
        });

        const forgetting = await loadPipeline(place.file, {
          env: {},
          set: ["state.path=other.sqlite"],
        });
        const forgotten = await forget(forgetting, { sink: "full", deleteRecords: true });
        expect(forgotten.records_deleted).toBe(before.size);
        await closePipeline(forgetting);
        expect((await rowsOf(collections.full)).size).toBe(0);
        expect((await rowsOf(collections.small)).size).toBe(before.size);
      },
    );

    it(
      "after runs that were killed, one run makes the collections equal to fresh ones",
      long,
      async () => {
        const pipeline = await makePipeline(3);
        const { place, folder } = pipeline;
        const random = randomFrom(33);
        await folder.add(30, 4);
        const state = join(place.folder, "state.sqlite");
        let torn = 0;
        for (let round = 0; round < 6; round += 1) {
          await folder.edit(8);
          await folder.add(3, 3);
          if (round > 0) await folder.remove(1);
          const before = begunIn(state);
          await using child = startRun(place.file, "--allow-deletions");
          let looks = 1 + pick(random, 40);
          const reached = (): boolean => {
            if (begunIn(state).difference(before).size > 0) looks -= 1;
            return looks <= 0 || !child.running;
          };
          expect(await until(reached, 60_000)).toBe(true);
          await child.kill();
          if (begunIn(state).difference(before).size > 0) torn += 1;
        }
        expect(torn).toBeGreaterThan(2);
        const last = await startRun(place.file, "--allow-deletions").ended;
        expect(JSON.parse(last.stdout)).toMatchObject({ status: "succeeded", failures: [] });
        await expectFresh(pipeline);
      },
    );

    describeLive("toxiproxy", (toxiproxy) => {
      it("writes whose answers were lost are made good by the next run", long, async () => {
        const pipeline = await makePipeline(4);
        const { place, folder, configure } = pipeline;
        await using proxy = await FaultyProxy.open(toxiproxy, server.address);
        await configure({ address: proxy.address });
        await folder.add(10, 3);
        expect((await sync(place.file)).exitCode).toBe(0);
        await folder.edit(6);
        await folder.add(6, 3);
        const lost = Promise.withResolvers<void>();
        const broken = await sync(place.file, {
          observe: (event) => {
            if (event.kind !== "target-opened") return;
            // What is sent arrives, and nobody hears of it.
            const toxic = { type: "timeout", attributes: { timeout: 0 } } as const;
            proxy.add(toxic).then(lost.resolve, lost.resolve);
          },
        });
        await lost.promise;
        expect(broken.exitCode).not.toBe(0);
        await proxy.remove("timeout");
        const { summary } = await sync(place.file);
        expect(summary).toMatchObject({ status: "succeeded" });
        await expectFresh(pipeline);
      });
    });
  });
}
