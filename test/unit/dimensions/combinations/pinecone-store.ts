import * as fc from "fast-check";
import { Pinecone } from "@pinecone-database/pinecone";
import { pineconeSink } from "../../../../connectors/sinks/pinecone/index.ts";
import type { PineconeEmulator } from "../../../../src/testkit/index.ts";
import { contextOf, newName, type Store } from "./store.ts";

const apiKey = "pcsk_the-key-of-the-tests";
const namespaces = ["docs", "__sluice__", "__default__"];

/** The sink `pinecone` before a local Pinecone. */
export function pinecone(emulator: PineconeEmulator): Store {
  const client = new Pinecone({ apiKey, controllerHostUrl: emulator.url, maxRetries: 0 });
  const serverless = { cloud: "aws", region: "us-east-1" } as const;
  return {
    [fc.toStringMethod]: () => "pinecone",
    shapes: new Map([
      ["plain", true],
      ["sparse", false],
    ]),
    place() {
      const index = newName();
      return {
        connect({ pipeline, metric }) {
          const config = pineconeSink.config.parse({
            api_key: apiKey,
            control_url: emulator.url,
            index,
            namespace: "docs",
            create: { metric },
          });
          return pineconeSink.create(config, contextOf(pipeline));
        },
        async make() {
          await client.indexes.create({ name: index, vectorType: "sparse", spec: { serverless } });
        },
        async image() {
          const { indexes = [] } = await client.indexes.list();
          const found = indexes.find(({ name }) => name === index);
          const records = namespaces.map((name) => [...emulator.records(index, name)]);
          return JSON.stringify([found, records]);
        },
        async stored() {
          return [...emulator.records(index, "docs").values()].map(({ id, values, metadata }) => {
            const { pipeline, text } = metadata ?? {};
            return { id, pipeline: String(pipeline), text: String(text), vector: [...values] };
          });
        },
      };
    },
  };
}
