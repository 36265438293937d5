import type { StateSession } from "../contracts/index.ts";
import type { Pipeline } from "./pipeline.ts";

/** Opens the pipeline's state for writing: takes the lease, or rejects with `state.locked`. */
export function openStateToWrite(pipeline: Pipeline, signal: AbortSignal): Promise<StateSession> {
  return pipeline.state.open({ ...named(pipeline), mode: "write" }, signal);
}

/** Opens the pipeline's state for reading, beside a run that holds it; undefined when there is none yet. */
export function openStateToRead(
  pipeline: Pipeline,
  signal: AbortSignal,
): Promise<StateSession | undefined> {
  return pipeline.state.open({ ...named(pipeline), mode: "read" }, signal);
}

function named({ name, previously }: Pipeline): {
  readonly pipeline: string;
  readonly previously?: string;
} {
  return { pipeline: name, ...(previously === undefined ? {} : { previously }) };
}
