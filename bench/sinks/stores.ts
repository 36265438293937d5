import { lancedbStore } from "./lancedb.ts";
import { milvusStores } from "./milvus.ts";
import { pineconeStore } from "./pinecone.ts";
import type { Store } from "./store.ts";
import { weaviateStore } from "./weaviate.ts";

export const stores: readonly Store[] = [
  lancedbStore,
  ...milvusStores,
  weaviateStore,
  pineconeStore,
];

export function findStore(name: string): Store {
  const store = stores.find((other) => other.name === name);
  if (store !== undefined) return store;
  const names = stores.map((other) => other.name).join(", ");
  throw new Error(`There is no store ${name}; there are ${names}.`);
}
