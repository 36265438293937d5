import type { StateSession } from "../contracts/index.ts";
import type { Pipeline } from "./pipeline.ts";
import { claimState, pipelineFileRefusal } from "./pipeline-file.ts";

/**
 * Opens the pipeline's state for writing: takes the lease, or rejects with `state.locked`. Rejects with
 * `refused.pipeline` when the state belongs to another file of the same name, whatever was to be done.
 */
export async function openStateToWrite(
  pipeline: Pipeline,
  signal: AbortSignal,
): Promise<StateSession> {
  await refuseEarly(pipeline, signal);
  const session = await pipeline.state.open({ ...named(pipeline), mode: "write" }, signal);
  try {
    await claimState(pipeline, session);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Opens the pipeline's state for reading, beside a run that holds it; undefined when there is none yet. */
export function openStateToRead(
  pipeline: Pipeline,
  signal: AbortSignal,
): Promise<StateSession | undefined> {
  return pipeline.state.open({ ...named(pipeline), mode: "read" }, signal);
}

/** To open the state of a renamed pipeline for writing already gives it the new name. */
async function refuseEarly(pipeline: Pipeline, signal: AbortSignal): Promise<void> {
  if (pipeline.previously === undefined) return;
  const session = await openStateToRead(pipeline, signal);
  if (session === undefined) return;
  try {
    const refusal = await pipelineFileRefusal(pipeline, session);
    if (refusal !== undefined) throw refusal;
  } finally {
    await session.close();
  }
}

function named({ name, previously }: Pipeline): {
  readonly pipeline: string;
  readonly previously?: string;
} {
  return { pipeline: name, ...(previously === undefined ? {} : { previously }) };
}
