import { z } from "zod";
import type * as Arrow from "apache-arrow";
import type * as LanceDb from "@lancedb/lancedb";
import type { CollectionMarker, Metric } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";

/**
 * The marker lives in the metadata of the id column (see docs/decisions/lancedb-marker.md): one key for what all
 * pipelines share, one for each pipeline, so that two pipelines that mark at one moment do not undo each other.
 */
const sharedKey = "sluice:marker";
const pipelineKey = "sluice:pipeline:";
/** How the vectors of a table that sluice made are compared; Lance itself only knows it of an index. */
export const metricKey = "sluice:metric";

const metricSchema = z.enum(["cosine", "dot", "euclidean"]);
const sharedSchema = z.object({
  version: z.literal(1),
  incarnation: z.string().min(1),
  space: z.object({ hash: z.string(), model: z.string() }),
  dimension: z.number().int().positive(),
  probe: z.string(),
});
const pipelineSchema = z.object({ stateId: z.string(), runSeq: z.number() });

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
        pipelineSchema.parse(JSON.parse(value)),
      ]);
    const marker = sharedSchema.parse(JSON.parse(shared));
    return { marker: { ...marker, pipelines: Object.fromEntries(pipelines) }, metric };
  } catch (cause) {
    throw new Fault(
      "sink.foreign",
      `The marker of ${address} cannot be read: a newer version of sluice wrote it, or it was changed. Upgrade sluice, ` +
        "or name another collection.",
      { cause },
    );
  }
}

/**
 * Writes a marker in one commit. Only pipelines whose mark differs from what this client has seen are written or
 * removed: another pipeline may have marked since.
 */
export async function writeMarker(
  table: LanceDb.Table,
  idColumn: string,
  marker: CollectionMarker,
  seen: CollectionMarker | undefined,
): Promise<void> {
  const { pipelines, ...shared } = marker;
  const metadata: Record<string, string | null> = { [sharedKey]: JSON.stringify(shared) };
  for (const name of Object.keys(seen?.pipelines ?? {})) {
    if (!Object.hasOwn(pipelines, name)) metadata[pipelineKey + name] = null;
  }
  for (const [name, mark] of Object.entries(pipelines)) {
    const value = JSON.stringify(mark);
    const known = seen?.incarnation === marker.incarnation ? seen.pipelines[name] : undefined;
    if (JSON.stringify(known) !== value) metadata[pipelineKey + name] = value;
  }
  await table.updateFieldMetadata([{ path: idColumn, metadata }]);
}
