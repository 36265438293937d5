import { z } from "zod";
import type * as Arrow from "apache-arrow";
import type * as LanceDb from "@lancedb/lancedb";
import type { CollectionMarker, Metric } from "../../../src/contracts/index.ts";
import {
  markChanges,
  pipelineMarkSchema,
  sharedMarkerSchema,
} from "../../../src/records/marker.ts";
import { markerUnreadable } from "../../../src/records/refusals.ts";

/**
 * The marker lives in the metadata of the id column (see docs/decisions/lancedb-marker.md): one key for what all
 * pipelines share, one for each pipeline, so that two pipelines that mark at one moment do not undo each other.
 */
const sharedKey = "sluice:marker";
const pipelineKey = "sluice:pipeline:";
/** How the vectors of a table that sluice made are compared; Lance itself only knows it of an index. */
export const metricKey = "sluice:metric";

const metricSchema = z.enum(["cosine", "dot", "euclidean"]);
/** What a table says about itself. */
export interface TableMarks {
  readonly marker: CollectionMarker | undefined;
  readonly metric: Metric | undefined;
}

/** Reads the marks of a table. Rejects with `sink.foreign` when a newer sluice, or something else, wrote them. */
export function readMarks(schema: Arrow.Schema, idColumn: string, address: string): TableMarks {
  const metadata = schema.fields.find((field) => field.name === idColumn)?.metadata;
  const metric = metricSchema.safeParse(metadata?.get(metricKey)).data;
  const shared = metadata?.get(sharedKey);
  if (metadata === undefined || shared === undefined) return { marker: undefined, metric };
  try {
    const pipelines = [...metadata]
      .filter(([key]) => key.startsWith(pipelineKey))
      .map(([key, value]) => [
        key.slice(pipelineKey.length),
        pipelineMarkSchema.parse(JSON.parse(value)),
      ]);
    const marker = sharedMarkerSchema.parse(JSON.parse(shared));
    return { marker: { ...marker, pipelines: Object.fromEntries(pipelines) }, metric };
  } catch (cause) {
    throw markerUnreadable(address, cause);
  }
}

/** Writes a marker in one commit. */
export async function writeMarker(
  table: LanceDb.Table,
  idColumn: string,
  marker: CollectionMarker,
  seen: CollectionMarker | undefined,
): Promise<void> {
  const { pipelines: _, ...shared } = marker;
  const { changed, gone } = markChanges(marker, seen);
  const metadata: Record<string, string | null> = { [sharedKey]: JSON.stringify(shared) };
  for (const name of gone) metadata[pipelineKey + name] = null;
  for (const [name, mark] of changed) metadata[pipelineKey + name] = JSON.stringify(mark);
  await table.updateFieldMetadata([{ path: idColumn, metadata }]);
}
