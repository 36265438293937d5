import { z } from "zod";
import type { CollectionMarker, PipelineMark } from "../contracts/index.ts";

/** What all pipelines share of a stored marker. */
export const sharedMarkerSchema = z.object({
  version: z.literal(1),
  incarnation: z.string().min(1),
  space: z.object({ hash: z.string(), model: z.string() }),
  dimension: z.number().int().positive(),
  probe: z.string(),
});

/** What is stored of one pipeline. */
export const pipelineMarkSchema = z.object({ stateId: z.string(), runSeq: z.number() });

/** What to write of the pipelines' marks. */
export interface MarkChanges {
  readonly changed: readonly (readonly [pipeline: string, mark: PipelineMark])[];
  readonly gone: readonly string[];
}

/**
 * Which pipelines' marks differ from what this client has seen. Only those are written or removed, since another
 * pipeline may have marked since.
 */
export function markChanges(
  { incarnation, pipelines }: CollectionMarker,
  seen: CollectionMarker | undefined,
): MarkChanges {
  const known = seen?.incarnation === incarnation ? seen.pipelines : {};
  return {
    changed: Object.entries(pipelines).filter(([name, mark]) => !isSameMark(known[name], mark)),
    gone: Object.keys(seen?.pipelines ?? {}).filter((name) => !Object.hasOwn(pipelines, name)),
  };
}

export function isSameMark(one: PipelineMark | undefined, other: PipelineMark | undefined) {
  return one?.stateId === other?.stateId && one?.runSeq === other?.runSeq;
}
