import type { MilvusClient } from "@zilliz/milvus2-sdk-node";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import type { Collection, ConnectorContext, Sink } from "../../../src/contracts/index.ts";
import { specOf } from "../../../src/testkit/sink-harness.ts";
import { connectMilvus } from "./milvus-client.ts";
import { makeMilvusSink, newName } from "./milvus-sink.ts";

const { signal } = new AbortController();

/** A server as a stranger and as a pipeline uses it; what a test makes goes with the test. */
export interface MilvusUse {
  /** The official client, for what is done behind the sink's back. */
  readonly client: MilvusClient;
  /** A name for a collection, which is dropped when the test is over. */
  newCollection(): string;
  makeSink(
    collection: string,
    config?: Readonly<Record<string, unknown>>,
    context?: Partial<ConnectorContext>,
  ): Sink;
  /** A collection that sluice made. */
  create(
    config?: Readonly<Record<string, unknown>>,
    context?: Partial<ConnectorContext>,
  ): Promise<{ readonly collection: string; readonly sink: Sink; readonly opened: Collection }>;
}

/** For the tests of one `describe`; the client is there while they run. */
export function useMilvus(address: string): MilvusUse {
  let client: MilvusClient | undefined;
  beforeAll(async () => {
    client = await connectMilvus(address);
  });
  afterAll(async () => {
    await client?.closeConnection();
  });
  const use: MilvusUse = {
    get client() {
      return client!;
    },
    newCollection() {
      const collection_name = newName();
      onTestFinished(async () => void (await client?.dropCollection({ collection_name })));
      return collection_name;
    },
    makeSink(collection, config = {}, context = {}) {
      const sink = makeMilvusSink(address, collection, config, context);
      onTestFinished(() => sink.close());
      return sink;
    },
    async create(config = {}, context = {}) {
      const collection = use.newCollection();
      const sink = use.makeSink(collection, config, context);
      return { collection, sink, opened: await sink.create(specOf({}, sink), signal) };
    },
  };
  return use;
}
