import * as fc from "fast-check";
import { createClass } from "../../../connectors/sinks/weaviate/class-body.ts";
import { weaviateConfig } from "../../../connectors/sinks/weaviate/config.ts";
import { createLayout } from "../../../src/records/layout.ts";
import { contextOf, type Store } from "../../unit/dimensions/combinations/store.ts";
import {
  addressesOf,
  askWeaviate,
  makeWeaviateSink,
  newCollection,
  type WeaviatePorts,
} from "../support/weaviate-sink.ts";

interface StoredObject {
  readonly id: string;
  readonly properties: { readonly pipeline?: string; readonly text?: string };
  readonly vectors?: { readonly default?: readonly number[] };
}

const hamming = {
  vectorConfig: {
    default: {
      vectorizer: { none: {} },
      vectorIndexType: "hnsw",
      vectorIndexConfig: { distance: "hamming" },
    },
  },
};

function bare(collection: string): object {
  const config = weaviateConfig.parse({ url: "http://localhost", collection });
  const names = { pattern: /./, words: "anything" };
  const layout = createLayout({ sink: "s", declared: {}, fields: {}, omit: [], names });
  const spec = { dimension: 1, metric: "cosine", fields: {} } as const;
  const {
    description: _,
    properties,
    ...body
  } = createClass({ collection, layout, config }, spec) as unknown as Readonly<
    Record<string, unknown>
  > & {
    readonly properties: readonly { readonly name: string }[];
  };
  return { ...body, properties: properties.filter(({ name }) => name !== "sluice") };
}

/** The sink `weaviate` before a real server. Collections made are told to `made`. */
export function weaviate(ports: WeaviatePorts, made: Set<string>): Store {
  return {
    [fc.toStringMethod]: () => "weaviate",
    forgetful: new Set(["bare"]),
    shapes: new Map([
      ["plain", true],
      // With the properties that records need, and nothing that tells of sluice.
      ["bare", true],
      ["hamming", false],
    ]),
    place() {
      const collection = newCollection();
      made.add(collection);
      const objects = async (): Promise<readonly StoredObject[]> => {
        const path = `/objects?class=${collection}&include=vector&limit=1000`;
        const { body } = await askWeaviate(ports, "GET", path);
        return (body as { readonly objects: readonly StoredObject[] }).objects;
      };
      return {
        connect({ pipeline, metric }) {
          const config = { ...addressesOf(ports), collection, create: { metric } };
          return makeWeaviateSink(config, contextOf(pipeline));
        },
        async make(shape) {
          const body = { ...bare(collection), ...(shape === "hamming" ? hamming : {}) };
          const { status } = await askWeaviate(ports, "POST", "/schema", body);
          if (status !== 200) throw new Error(`Weaviate makes no collection: ${status}.`);
        },
        async image() {
          const { status, body } = await askWeaviate(ports, "GET", `/schema/${collection}`);
          return JSON.stringify([status, body, status === 200 ? await objects() : []]);
        },
        async stored() {
          const found = await objects();
          // Objects that are part of the marker belong to no pipeline.
          return found.flatMap(({ id, properties: { pipeline, text = "" }, vectors }) => {
            if (pipeline === undefined) return [];
            return [{ id, pipeline, text, vector: [...(vectors?.default ?? [])] }];
          });
        },
      };
    },
  };
}
