import type { EmbeddingModel } from "../contracts/index.ts";
import type { Space } from "./space.ts";
import type { SinkFinding } from "./survey.ts";

/** One row of the dimension table. */
export interface PlannedSink {
  readonly sink: string;
  readonly address: string;
  /** Left out, like all that only the store can tell, when it does not answer. */
  readonly exists?: boolean;
  readonly live_dimension?: number;
  /** The dimension that vectors will have there. */
  readonly dimension?: number;
  readonly metric?: string;
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
    const about = { sink: sink.name, address: sink.sink.address, model };
    return { ...about, action: "unreachable", code: fault.code, reason: fault.message };
  }
  const { sink, decision, live } = found.survey;
  const metric = live?.metric ?? (decision.kind === "refuse" ? undefined : decision.metric);
  const row = {
    sink: sink.name,
    address: sink.sink.address,
    exists: live !== undefined,
    ...(live?.dimension === undefined ? {} : { live_dimension: live.dimension }),
    ...(decision.kind === "refuse" ? {} : { dimension: decision.dimension }),
    ...(metric === undefined ? {} : { metric }),
    records: live?.records ?? 0,
    model,
  };
  if (found.kind === "refused") {
    const { code, reason, remedy } = found.refusal;
    return { ...row, action: "refuse", code, reason, ...(remedy === undefined ? {} : { remedy }) };
  }
  return { ...row, action: decision.kind };
}

function modelRow(model: EmbeddingModel): PlannedSink["model"] {
  const { native, min, matryoshka } = model.dimensions;
  return { id: model.id, native, min, matryoshka };
}
