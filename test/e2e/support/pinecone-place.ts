import { type Index, Pinecone } from "@pinecone-database/pinecone";
import { onTestFinished } from "vitest";
import {
  type PineconeEmulator,
  type PineconeEmulatorOptions,
  startPineconeEmulator,
} from "../../../src/testkit/index.ts";
import { makeStorePlace, type StorePlace } from "./store-place.ts";

const apiKey = "pcsk_the-key-of-the-tests";
const namespaces = { own: "production", fresh: "fresh" } as const;

/** The namespace of a Pinecone place. */
export const namespace = namespaces.own;

export interface PineconePlace extends StorePlace {
  readonly emulator: PineconeEmulator;
  /** Secret. */
  readonly apiKey: string;
}

/** A pipeline from a folder into a namespace of a local Pinecone that shows its writes late. */
export async function makePineconePlace(
  options: PineconeEmulatorOptions = {},
): Promise<PineconePlace> {
  const emulator = await startPineconeEmulator({
    apiKey,
    visibilityDelayMs: 25,
    unsortedMatches: true,
    ...options,
  });
  onTestFinished(() => emulator.close());
  const place = await makeStorePlace({
    sink: [
      "type: pinecone",
      `api_key: ${apiKey}`,
      "index: handbook",
      `namespace: ${namespace}`,
      `control_url: ${emulator.url}`,
      "timeout_ms: 400",
      "visibility_timeout_ms: 3000",
      "concurrency: 2",
    ],
    fresh: [`sinks.search.namespace=${namespaces.fresh}`],
    retry: "{ attempts: 3, base_ms: 1, max_ms: 5, total_ms: 4000 }",
    contentOf: async (collection = "own") =>
      [...emulator.records("handbook", namespaces[collection]).values()]
        .map(({ id, values, metadata }) => ({ id, values: [...values], metadata }))
        .toSorted((one, other) => (one.id < other.id ? -1 : 1)),
  });
  return { ...place, emulator, apiKey };
}

/** The namespace as somebody else would use it, who is seen at once. */
export async function rawIndex({ emulator }: PineconePlace): Promise<Index> {
  emulator.delayVisibility(0);
  const client = new Pinecone({ apiKey, controllerHostUrl: emulator.url });
  const { host } = await client.indexes.describe("handbook");
  return client.index({ host, namespace });
}
