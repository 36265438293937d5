import { DataType, type MilvusClient } from "@zilliz/milvus2-sdk-node";
import * as fc from "fast-check";
import {
  contextOf,
  type Store,
  type StoredVector,
} from "../../unit/dimensions/combinations/store.ts";
import { makeMilvusSink, newName } from "../support/milvus-sink.ts";

/** The sink `milvus` before a real server; `client` sees what is there. Collections made are told to `made`. */
export function milvus(address: string, client: MilvusClient, made: Set<string>): Store {
  return {
    [fc.toStringMethod]: () => "milvus",
    shapes: new Map([
      ["plain", true],
      ["binary", false],
    ]),
    place() {
      const collection_name = newName();
      made.add(collection_name);
      const exists = async (): Promise<boolean> =>
        (await client.hasCollection({ collection_name })).value === true;
      const rows = async (): Promise<readonly StoredVector[]> => {
        const { data } = await client.query({
          collection_name,
          filter: 'id >= ""',
          output_fields: ["id", "pipeline", "text", "vector"],
          consistency_level: 0,
          limit: 1000,
        });
        // The client gives the columns in any order.
        return (data as unknown as readonly StoredVector[]).map(
          ({ id, pipeline, text, vector }) => {
            return { id, pipeline, text, vector };
          },
        );
      };
      return {
        connect: ({ pipeline, metric }) =>
          makeMilvusSink(address, collection_name, { create: { metric } }, contextOf(pipeline)),
        async make(_, dimension) {
          await client.createCollection({
            collection_name,
            fields: [
              { name: "id", data_type: DataType.VarChar, is_primary_key: true, max_length: 64 },
              { name: "vector", data_type: DataType.BinaryVector, dim: dimension * 8 },
            ],
          });
        },
        async image() {
          if (!(await exists())) return "absent";
          const { schema, properties } = await client.describeCollection({ collection_name });
          const { state } = await client.getLoadState({ collection_name });
          const stored = `${state}` === "LoadStateLoaded" ? await rows() : [];
          return JSON.stringify([schema, properties, stored]);
        },
        stored: rows,
      };
    },
  };
}
