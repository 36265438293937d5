import type { Collection } from "../contracts/index.ts";
import type { Visibility } from "./visibility.ts";

/** Deletes records by id, within the collection's limits; rejects with the first failure. */
export async function deleteRecords(
  collection: Collection,
  ids: readonly string[],
  visibility: Visibility,
  signal: AbortSignal,
): Promise<void> {
  const { operationsPerWrite } = collection.limits;
  for (let start = 0; start < ids.length; start += operationsPerWrite) {
    const operations = ids
      .slice(start, start + operationsPerWrite)
      .map((id) => ({ kind: "delete", id }) as const);
    const { failed, visible } = await collection.write(operations, signal);
    visibility.note(visible);
    for (const fault of failed.values()) throw fault;
  }
}
