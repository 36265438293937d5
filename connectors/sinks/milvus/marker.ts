import type { CollectionMarker } from "../../../src/contracts/index.ts";
import {
  markChanges,
  pipelineMarkSchema,
  sharedMarkerSchema,
} from "../../../src/records/marker.ts";
import { markerUnreadable } from "../../../src/records/refusals.ts";
import { toPairs, valueFor, type KeyValue } from "./messages.ts";

/**
 * The marker lives in the collection's properties (see docs/decisions/milvus-marker.md): one key for what all
 * pipelines share, one for each pipeline, so that two pipelines that mark at one moment do not undo each other.
 */
const sharedKey = "sluice.marker";
const pipelineKey = "sluice.pipeline.";
/** A UUID, set when sluice makes a collection. */
const createdKey = "sluice.created";

/** The properties of a collection that sluice makes. */
export function createdProperties(uuid: string): KeyValue[] {
  return [{ key: createdKey, value: uuid }];
}

/** Which creation by sluice a collection comes from; undefined when something else made it. */
export function creationOf(properties: readonly KeyValue[]): string | undefined {
  return valueFor(properties, createdKey);
}

/** Reads the marker. Rejects with `sink.foreign` when a newer sluice, or something else, wrote it. */
export function readMarker(
  properties: readonly KeyValue[],
  address: string,
): CollectionMarker | undefined {
  const shared = valueFor(properties, sharedKey) ?? "";
  if (shared === "") return undefined;
  try {
    const pipelines = properties
      // A mark that was removed is empty: old servers cannot remove a property.
      .filter((pair) => isMark(pair) && pair.value !== "")
      .map(({ key, value }) => [
        key.slice(pipelineKey.length),
        pipelineMarkSchema.parse(JSON.parse(value)),
      ]);
    const marker = sharedMarkerSchema.parse(JSON.parse(shared));
    return { ...marker, pipelines: Object.fromEntries(pipelines) };
  } catch (cause) {
    throw markerUnreadable(address, cause);
  }
}

/**
 * Whether somebody else may be changing the marker, too: it names other pipelines than those of the change, or is new
 * to them.
 */
export function mayBeShared(change: readonly KeyValue[], before: readonly KeyValue[]): boolean {
  const marks = before.filter((pair) => isMark(pair) && pair.value !== "");
  const changed = change.filter(isMark);
  const isKnown = (pair: KeyValue): boolean => valueFor(marks, pair.key) !== undefined;
  return !changed.every(isKnown) || marks.some(({ key }) => valueFor(changed, key) === undefined);
}

/** The properties to write, to make a marker out of the one that was seen. */
export function markerProperties(
  marker: CollectionMarker,
  seen: CollectionMarker | undefined,
): KeyValue[] {
  const { pipelines: _, ...shared } = marker;
  const { changed, gone } = markChanges(marker, seen);
  const properties: Record<string, string> = { [sharedKey]: JSON.stringify(shared) };
  for (const name of gone) properties[pipelineKey + name] = "";
  for (const [name, mark] of changed) properties[pipelineKey + name] = JSON.stringify(mark);
  return toPairs(properties);
}

function isMark({ key }: KeyValue): boolean {
  return key.startsWith(pipelineKey);
}
