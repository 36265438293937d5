import type { EmbeddingModel } from "../contracts/index.ts";
import type { PipelineSink } from "./pipeline.ts";
import type { Space } from "./space.ts";
import type { SinkFinding } from "./survey.ts";

/** One row of the dimension table. */
export interface PlannedSink {
  readonly sink: string;
  readonly address: string;
  /** Left out, like all that only the store can tell, when it does not answer. */
  readonly exists?: boolean;
  readonly live_dimension?: number;
  /** The sink's `dimension` in the file. */
  readonly configured: "auto" | number;
  /** The dimension that vectors will have there; like `sliced`, left out when there is none to agree on. */
  readonly dimension?: number;
  /** Whether vectors are the beginning of the model's own, normalised again. */
  readonly sliced?: boolean;
  readonly metric?: string;
  /** What the collection keeps, or will keep. */
  readonly element_type?: string;
  readonly records?: number;
  readonly model: {
    readonly id: string;
    readonly native: number;
    readonly min: number;
    readonly matryoshka: boolean;
  };
  readonly action: "create" | "open" | "refuse" | "unreachable";
  /** Why a run refuses the sink, or goes on without it. */
  readonly code?: string;
  readonly reason?: string;
  /** Left out when the reason says it. */
  readonly remedy?: string;
}

export function plannedSink(found: SinkFinding, space: Space): PlannedSink {
  const model = modelRow(space.model);
  if (found.kind === "down") {
    const { sink, fault } = found;
    const about = { ...identity(sink), model };
    return { ...about, action: "unreachable", code: fault.code, reason: fault.message };
  }
  const { sink, decision, live } = found.survey;
  const agreed = decision.kind === "refuse" ? undefined : decision;
  const metric = live?.metricName ?? live?.metric ?? agreed?.metric;
  const elementType = live?.elementType ?? agreed?.elementType;
  const row = {
    ...identity(sink),
    exists: live !== undefined,
    ...(live?.dimension === undefined ? {} : { live_dimension: live.dimension }),
    ...(agreed === undefined ? {} : { dimension: agreed.dimension, sliced: agreed.sliced }),
    ...(metric === undefined ? {} : { metric }),
    ...(elementType === undefined ? {} : { element_type: elementType }),
    records: live?.records ?? 0,
    model,
  };
  if (found.kind === "refused") {
    const { code, reason, remedy } = found.refusal;
    return { ...row, action: "refuse", code, reason, ...(remedy === undefined ? {} : { remedy }) };
  }
  return { ...row, action: decision.kind };
}

function identity({ name, sink, dimension }: PipelineSink) {
  return { sink: name, address: sink.address, configured: dimension };
}

function modelRow(model: EmbeddingModel): PlannedSink["model"] {
  const { native, min, matryoshka } = model.dimensions;
  return { id: model.id, native, min, matryoshka };
}
