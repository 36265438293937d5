import type {
  CollectionMarker,
  CollectionSpec,
  StoredRecord,
} from "../../../src/contracts/index.ts";

/** What a collection holds; its clients come and go. */
export interface StoredCollection {
  readonly spec: CollectionSpec;
  readonly records: Map<string, StoredRecord & { readonly vector: Float32Array }>;
  marker: CollectionMarker | undefined;
}

const collections = new Map<string, StoredCollection>();

/** The collections of this process, by name: a second run in the process finds what the first has written. */
export const memoryStore = {
  get: (name: string): StoredCollection | undefined => collections.get(name),
  create(name: string, spec: CollectionSpec): StoredCollection {
    const created = { spec, records: new Map(), marker: undefined };
    collections.set(name, created);
    return created;
  },
  /** Forgets a collection and everything in it. */
  drop: (name: string): boolean => collections.delete(name),
};
