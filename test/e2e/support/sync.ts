import { closePipeline, run, type RunOptions, type RunResult } from "../../../src/engine/index.ts";
import { isFault } from "../../../src/faults/index.ts";
import { loadPipeline, type LoadPipelineOptions } from "../../../src/load-pipeline.ts";

/** Runs a pipeline file once, as `sluice run` does, inside the test's process. */
export async function sync(
  file: string,
  options: RunOptions = {},
  loading: LoadPipelineOptions = {},
): Promise<RunResult> {
  const clock = options.clock === undefined ? {} : { clock: options.clock };
  const pipeline = await loadPipeline(file, { env: {}, ...clock, ...loading });
  try {
    return await run(pipeline, options);
  } finally {
    await closePipeline(pipeline);
  }
}

/** The code and message of the fault that a promise rejects with; what else it rejects with is thrown. */
export async function faultOf(
  work: Promise<unknown>,
): Promise<{ readonly code: string; readonly message: string }> {
  const error: unknown = await work.then(
    () => new Error("It did not reject."),
    (reason: unknown) => reason,
  );
  if (!isFault(error)) throw error;
  return { code: error.code, message: error.message };
}
