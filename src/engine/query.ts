import type { Filter, JsonObject, SearchHit } from "../contracts/index.ts";
import { fit } from "../dimensions/index.ts";
import { Fault } from "../faults/index.ts";
import { checkVectors } from "./check-vectors.ts";
import type { Pipeline, PipelineSink } from "./pipeline.ts";
import { checkProbe, openSpace } from "./space.ts";
import { surveySink } from "./survey.ts";

export interface QueryOptions {
  readonly text: string;
  /** The first sink of the file when left out. */
  readonly sink?: string;
  /** How many hits at most. */
  readonly k: number;
  readonly filter?: Filter;
  readonly signal?: AbortSignal;
}

export interface QueryHit {
  readonly id: string;
  /** Larger is nearer. */
  readonly score: number;
  readonly document: string;
  readonly text: string;
  readonly title?: string;
  readonly uri?: string;
  readonly headings?: readonly string[];
  readonly page?: number;
  readonly metadata: JsonObject;
}

/** Embeds a text with the query instruction and searches one sink for records of this pipeline. */
export async function query(
  pipeline: Pipeline,
  options: QueryOptions,
): Promise<{ readonly hits: readonly QueryHit[] }> {
  const signal = options.signal ?? new AbortController().signal;
  const sink = sinkOf(pipeline, options.sink);
  const { address } = sink.sink;
  const space = await openSpace(pipeline.embedder, (request) => request(), signal);
  const { decision, marker } = await surveySink(pipeline, sink, space, signal);
  if (decision.kind === "refuse") {
    throw new Fault(decision.code, `${decision.reason} ${decision.remedy}`);
  }
  if (decision.kind === "create") {
    const message = `The collection ${address} does not exist yet. Run \`sluice run\` first.`;
    throw new Fault("sink.missing", message);
  }
  // Hits by the vectors of another model would look like hits.
  if (marker !== undefined) {
    checkProbe(space, marker.probe, marker.dimension, `the collection ${address}`);
  }
  const collection = await sink.sink.open(signal);
  const { vectors } = await pipeline.embedder.embed([options.text], "query", signal);
  checkVectors(vectors, 1, space.model);
  const [native] = vectors;
  if (native === undefined) throw new RangeError("The query has no vector.");
  const own = { field: "pipeline", operator: "=", value: pipeline.name } as const;
  const hits = await collection.search(
    {
      vector: fit(native, collection.dimension),
      k: options.k,
      filter: [own, ...(options.filter ?? [])],
    },
    signal,
  );
  return { hits: hits.map(hitOf) };
}

/** The sink of this name, or the first. */
export function sinkOf(pipeline: Pipeline, name: string | undefined): PipelineSink {
  const [first] = pipeline.sinks.values();
  const sink = name === undefined ? first : pipeline.sinks.get(name);
  if (sink !== undefined) return sink;
  const known = [...pipeline.sinks.keys()].map((key) => `\`${key}\``).join(", ");
  throw new Fault("config.invalid", `There is no sink \`${name}\`; the file has ${known}.`);
}

function hitOf({ score, record }: SearchHit): QueryHit {
  const { id, document, title, uri, headings, page } = record;
  return {
    id,
    score,
    document,
    text: record.text ?? "",
    ...(title === undefined ? {} : { title }),
    ...(uri === undefined ? {} : { uri }),
    ...(headings === undefined ? {} : { headings }),
    ...(page === undefined ? {} : { page }),
    metadata: { ...record.metadata, ...record.fields },
  };
}
