import { createHash } from "node:crypto";
import { z } from "zod";
import type { CollectionMarker } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import {
  markChanges,
  pipelineMarkSchema,
  sharedMarkerSchema,
} from "../../../src/records/marker.ts";
import { markerUnreadable } from "../../../src/records/refusals.ts";
import { objectFault, unknownObjectFault, type FailedCall } from "./faults.ts";
import type { Objects } from "./objects.ts";
import { markerProperty } from "./property-types.ts";
import type { WireObject } from "./wire-batch.ts";
import type { WireHit } from "./wire-search.ts";

/**
 * The marker lives in objects of its own (see docs/decisions/weaviate-marker.md), without vector and in no index, so
 * that no search finds them: a small one that is looked at again and again, one with the probe, and one for each
 * pipeline, so that two pipelines that mark at one moment do not undo each other. Their ids begin with "sluice" in
 * hexadecimal.
 */
const prefix = "736c7569-6365-80";
const sharedId = `${prefix}00-8000-000000000000`;
/** Tells for how long vectors a tenant was made, before it has a marker or a vector. */
const birthId = `${prefix}03-8000-000000000000`;
/** The largest id before theirs. */
const beforeAll = "736c7569-6365-7fff-ffff-ffffffffffff";

const birthSchema = z.object({ dimension: z.number().int().positive() });
const { probe: probeText } = sharedMarkerSchema.shape;
const sharedSchema = sharedMarkerSchema.omit({ probe: true });
const probeSchema = z.object({ probe: probeText });
const markSchema = pipelineMarkSchema.extend({ incarnation: z.string(), pipeline: z.string() });

/** Whether an object is part of a marker, and no record. */
export function isMarkerId(id: string): boolean {
  return id.startsWith(prefix);
}

/** What a collection knows of its marker. */
export interface FoundMarks {
  readonly marker: CollectionMarker | undefined;
  /** The length of vectors that a tenant was made for. */
  readonly dimension: number | undefined;
  /** How many objects all that takes, which are no records. */
  readonly objects: number;
}

/** What a collection has that was never marked. */
export const noMarks: FoundMarks = { marker: undefined, dimension: undefined, objects: 0 };

/** Reads the marker. Rejects with `sink.foreign` when a newer sluice, or something else, wrote it. */
export async function readMarks(
  objects: Objects,
  shown: string,
  signal: AbortSignal,
): Promise<FoundMarks> {
  const hits = await markerHits(objects, [markerProperty], signal);
  const byId = new Map(hits.map((hit) => [hit.id, hit]));
  const shared = byId.get(sharedId);
  const { dimension } = birthSchema.safeParse(contentOf(byId.get(birthId))).data ?? {};
  const found = { dimension, objects: hits.length };
  if (shared === undefined) return { ...found, marker: undefined };
  try {
    const common = sharedSchema.parse(contentOf(shared));
    const { probe } = probeSchema.parse(contentOf(byId.get(probeId(common.incarnation))));
    const marks = hits
      .filter(({ id }) => id.startsWith(`${prefix}01`))
      .map((hit) => markSchema.parse(contentOf(hit)))
      .filter(({ incarnation }) => incarnation === common.incarnation)
      .map(({ pipeline, stateId, runSeq }) => [pipeline, { stateId, runSeq }] as const);
    const marker = { ...common, probe, pipelines: Object.fromEntries(marks) };
    return { ...found, marker };
  } catch (cause) {
    throw markerUnreadable(shown, cause);
  }
}

/** How many objects the marker takes. */
export async function countMarks(objects: Objects, signal: AbortSignal): Promise<number> {
  return (await markerHits(objects, [], signal)).length;
}

/** Whether the collection is still the one with this incarnation. */
export async function hasIncarnation(
  objects: Objects,
  incarnation: string,
  signal: AbortSignal,
): Promise<boolean> {
  const wanted = { properties: [markerProperty], withVectors: false };
  const [shared] = await objects.find([sharedId], wanted, signal);
  return (contentOf(shared) as { incarnation?: unknown } | null)?.incarnation === incarnation;
}

async function markerHits(
  objects: Objects,
  properties: readonly string[],
  signal: AbortSignal,
): Promise<WireHit[]> {
  const hits: WireHit[] = [];
  for await (const page of objects.pages(beforeAll, { properties, withVectors: false }, signal)) {
    const ours = page.filter(({ id }) => isMarkerId(id));
    hits.push(...ours);
    if (ours.length < page.length) break;
  }
  return hits;
}

function contentOf(hit: WireHit | undefined): unknown {
  const text = hit?.properties[markerProperty];
  return JSON.parse(typeof text === "string" ? text : "null");
}

/** Writes a marker. The probe comes first and goes last, so that a marker never stands without it. */
export async function writeMarks(
  objects: Objects,
  marker: CollectionMarker,
  seen: CollectionMarker | undefined,
  call: FailedCall,
  signal: AbortSignal,
): Promise<void> {
  const { pipelines, probe, ...shared } = marker;
  const known = seen?.incarnation === marker.incarnation ? seen : undefined;
  const changes = markChanges(marker, seen);
  const marks = changes.changed.map(([name, mark]) =>
    toObject(markId(name), { incarnation: marker.incarnation, pipeline: name, ...mark }),
  );
  const steps: WireObject[][] = [marks];
  if (known === undefined || !isSame({ ...known, pipelines }, marker)) {
    steps.unshift([toObject(probeId(marker.incarnation), { probe })], [toObject(sharedId, shared)]);
  }
  for (const step of steps) if (step.length > 0) await putAll(objects, step, call, signal);
  const gone = changes.gone.map((name) => markId(name));
  if (seen !== undefined && known === undefined) gone.push(probeId(seen.incarnation));
  if (gone.length > 0) await objects.delete(gone, signal);
}

/** Notes for how long vectors a tenant is made; a collection has its description for that. */
export async function writeBirth(
  objects: Objects,
  dimension: number,
  call: FailedCall,
  signal: AbortSignal,
): Promise<void> {
  await putAll(objects, [toObject(birthId, { dimension })], call, signal);
}

async function putAll(
  objects: Objects,
  batch: readonly WireObject[],
  call: FailedCall,
  signal: AbortSignal,
): Promise<void> {
  const errors = await objects.put("marked", batch, signal);
  const [text] = errors.values();
  if (text === undefined) return;
  const name = "part of the marker";
  const fault = objectFault(name, text, call) ?? unknownObjectFault(name, text, call, "never");
  throw new Fault(fault.code, fault.message, { scope: "component", retry: fault.retry });
}

function toObject(id: string, content: object): WireObject {
  return { id, properties: { [markerProperty]: JSON.stringify(content) } };
}

function isSame(left: object | undefined, right: object): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function markId(pipeline: string): string {
  return hashedId("01", pipeline);
}

function probeId(incarnation: string): string {
  return hashedId("02", incarnation);
}

function hashedId(kind: string, text: string): string {
  const hash = createHash("sha256").update(text).digest("hex");
  return `${prefix}${kind}-8${hash.slice(0, 3)}-${hash.slice(3, 15)}`;
}
