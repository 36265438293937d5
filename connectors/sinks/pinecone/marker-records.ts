import { hash } from "node:crypto";
import { z } from "zod";
import type * as Sdk from "@pinecone-database/pinecone";
import type { CollectionMarker, PipelineMark } from "../../../src/contracts/index.ts";
import { markerUnreadable } from "../../../src/records/refusals.ts";

/** What is known of a namespace besides its records. */
export interface NamespaceMarks {
  readonly marker: CollectionMarker | undefined;
  /** The incarnation to which records were written, or were about to be. */
  readonly written: string | undefined;
}

/** Characters of the probe in one record: with its keys it stays below what metadata may weigh. */
const probeCharacters = 36_000;

const headSchema = z.object({
  kind: z.literal("head"),
  version: z.literal(1),
  incarnation: z.string().min(1),
  space_hash: z.string(),
  space_model: z.string(),
  dimension: z.number().int().positive(),
  probe_parts: z.number().int().nonnegative(),
});
const probeSchema = z.object({ kind: z.literal("probe"), part: z.number(), text: z.string() });
const writtenSchema = z.object({ kind: z.literal("written"), incarnation: z.string() });
const pipelineSchema = z.object({
  kind: z.literal("pipeline"),
  incarnation: z.string(),
  name: z.string(),
  state_id: z.string(),
  run_seq: z.number(),
});

/** What all ids of the records about a namespace begin with. */
export function markerPrefix(namespace: string): string {
  return `${hash("sha256", namespace).slice(0, 32)}:`;
}

/** The ids of the records about a namespace, each without the prefix. */
export const markerIds = {
  head: "head",
  written: "written",
  probe: (part: number) => `probe:${part}`,
  pipeline: (name: string) => `pipeline:${hash("sha256", name).slice(0, 32)}`,
} as const;

/** A record's id without the prefix, and its metadata. */
export interface MarkerEntry {
  readonly id: string;
  readonly metadata: Sdk.RecordMetadata;
}

/** What all pipelines share of a marker, as records. */
export function encodeHead(marker: CollectionMarker): readonly MarkerEntry[] {
  const { version, incarnation, space, dimension, probe } = marker;
  const parts: MarkerEntry[] = [];
  for (let start = 0; start < probe.length; start += probeCharacters) {
    const part = parts.length;
    const text = probe.slice(start, start + probeCharacters);
    parts.push({ id: markerIds.probe(part), metadata: { kind: "probe", part, text } });
  }
  const head = {
    kind: "head",
    version,
    incarnation,
    space_hash: space.hash,
    space_model: space.model,
    dimension,
    probe_parts: parts.length,
  };
  return [{ id: markerIds.head, metadata: head }, ...parts];
}

export function encodePipeline(
  incarnation: string,
  name: string,
  { stateId, runSeq }: PipelineMark,
): MarkerEntry {
  const metadata = { kind: "pipeline", incarnation, name, state_id: stateId, run_seq: runSeq };
  return { id: markerIds.pipeline(name), metadata };
}

export function encodeWritten(incarnation: string): MarkerEntry {
  return { id: markerIds.written, metadata: { kind: "written", incarnation } };
}

/** Reads the records about a namespace. Rejects with `sink.foreign` when a newer sluice, or something else, wrote them. */
export function decodeMarks(entries: readonly MarkerEntry[], address: string): NamespaceMarks {
  const byId = new Map(entries.map(({ id, metadata }) => [id, metadata]));
  try {
    const written = byId.get(markerIds.written);
    return {
      marker: decodeMarker(byId),
      written: written === undefined ? undefined : writtenSchema.parse(written).incarnation,
    };
  } catch (cause) {
    throw markerUnreadable(address, cause, "namespace");
  }
}

function decodeMarker(byId: ReadonlyMap<string, Sdk.RecordMetadata>): CollectionMarker | undefined {
  const found = byId.get(markerIds.head);
  if (found === undefined) return undefined;
  const head = headSchema.parse(found);
  const parts = Array.from(
    { length: head.probe_parts },
    (_, part) => probeSchema.parse(byId.get(markerIds.probe(part))).text,
  );
  const pipelines = [...byId.values()]
    // Those of an earlier incarnation may have stayed.
    .filter(({ kind, incarnation }) => kind === "pipeline" && incarnation === head.incarnation)
    .map((metadata) => {
      const { name, state_id: stateId, run_seq: runSeq } = pipelineSchema.parse(metadata);
      return [name, { stateId, runSeq }] as const;
    });
  return {
    version: head.version,
    incarnation: head.incarnation,
    space: { hash: head.space_hash, model: head.space_model },
    dimension: head.dimension,
    probe: parts.join(""),
    pipelines: Object.fromEntries(pipelines),
  };
}
