import { z } from "zod";
import type { CollectionMarker } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { toPairs, valueFor, type KeyValue } from "./messages.ts";

/**
 * The marker lives in the collection's properties (see docs/decisions/milvus-marker.md): one key for what all
 * pipelines share, one for each pipeline, so that two pipelines that mark at one moment do not undo each other.
 */
const sharedKey = "sluice.marker";
const pipelineKey = "sluice.pipeline.";
/** A UUID, set when sluice makes a collection. */
const createdKey = "sluice.created";

const sharedSchema = z.object({
  version: z.literal(1),
  incarnation: z.string().min(1),
  space: z.object({ hash: z.string(), model: z.string() }),
  dimension: z.number().int().positive(),
  probe: z.string(),
});
const pipelineSchema = z.object({ stateId: z.string(), runSeq: z.number() });

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
        pipelineSchema.parse(JSON.parse(value)),
      ]);
    const marker = sharedSchema.parse(JSON.parse(shared));
    return { ...marker, pipelines: Object.fromEntries(pipelines) };
  } catch (cause) {
    throw new Fault(
      "sink.foreign",
      `The marker of ${address} cannot be read: a newer version of sluice wrote it, or it was changed. Upgrade ` +
        "sluice, or name another collection.",
      { cause },
    );
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

/**
 * The properties that make a marker. Only pipelines whose mark differs from what this client has seen are written or
 * removed: another pipeline may have marked since.
 */
export function markerProperties(
  marker: CollectionMarker,
  seen: CollectionMarker | undefined,
): KeyValue[] {
  const { pipelines, ...shared } = marker;
  const properties: Record<string, string> = { [sharedKey]: JSON.stringify(shared) };
  for (const name of Object.keys(seen?.pipelines ?? {})) {
    if (!Object.hasOwn(pipelines, name)) properties[pipelineKey + name] = "";
  }
  for (const [name, mark] of Object.entries(pipelines)) {
    const value = JSON.stringify(mark);
    const known = seen?.incarnation === marker.incarnation ? seen.pipelines[name] : undefined;
    if (JSON.stringify(known) !== value) properties[pipelineKey + name] = value;
  }
  return toPairs(properties);
}

function isMark({ key }: KeyValue): boolean {
  return key.startsWith(pipelineKey);
}
