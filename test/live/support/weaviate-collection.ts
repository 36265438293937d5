import { onTestFinished } from "vitest";
import { type WeaviateClient, connectToLocal } from "weaviate-client";
import type { Collection, ConnectorContext, Sink } from "../../../src/contracts/index.ts";
import { lawFields } from "../../../src/testkit/sink-harness.ts";
import {
  addressesOf,
  askWeaviate,
  makeWeaviateSink,
  newCollection,
  type WeaviatePorts,
} from "./weaviate-sink.ts";

export const dimension = 8;
export const signal = new AbortController().signal;

/** A sink that is closed, and whose collection is dropped, when the test is over. */
export function useSink(
  ports: WeaviatePorts,
  config: Readonly<Record<string, unknown>> = {},
  context: Partial<ConnectorContext> = {},
): Sink & { readonly collection: string } {
  const collection = String(config["collection"] ?? newCollection());
  const sink = makeWeaviateSink({ ...addressesOf(ports), ...config, collection }, context);
  onTestFinished(async () => {
    await sink.close();
    await askWeaviate(ports, "DELETE", `/schema/${collection}`).catch(() => undefined);
  });
  return Object.assign(sink, { collection });
}

/** Creates the collection of a sink. */
export function create(sink: Sink): Promise<Collection> {
  return sink.create({ dimension, metric: sink.createMetric, fields: lawFields }, signal);
}

/** The official client, closed when the test is over. */
export async function useClient({ http, grpc }: WeaviatePorts): Promise<WeaviateClient> {
  const client = await connectToLocal({ host: "127.0.0.1", port: http, grpcPort: grpc });
  onTestFinished(() => client.close());
  return client;
}
