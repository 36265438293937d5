import type { LoadedPipeline, PipelineFiles } from "../load-pipeline.ts";
import { type PipelineOptions, pipelineFiles } from "./pipeline-options.ts";
import type { Shell } from "./shell.ts";

/** Loads a pipeline for the time of a call, and closes it whatever happens. */
export function usePipeline<T>(
  shell: Shell,
  file: string | undefined,
  options: PipelineOptions,
  use: (pipeline: LoadedPipeline) => Promise<T>,
): Promise<T> {
  return usePipelines(shell, [pipelineFiles(file, options)], options, ([pipeline]) => {
    if (pipeline === undefined) throw new TypeError("one pipeline was asked for");
    return use(pipeline);
  });
}

/** Loads all pipelines of a command before the first is used. */
export async function usePipelines<T>(
  shell: Shell,
  groups: readonly PipelineFiles[],
  options: PipelineOptions,
  use: (pipelines: readonly LoadedPipeline[]) => Promise<T>,
): Promise<T> {
  const { loadPipelines } = await import("../load-pipeline.ts");
  const { formatProblem } = await import("../config/problem.ts");
  const { terminal } = shell;
  const { set, variables: envFiles } = options;
  const pipelines = await loadPipelines(groups, { set, envFiles });
  const redact = terminal.redact;
  terminal.redact = (text) =>
    pipelines.reduce((shown, pipeline) => pipeline.redact(shown), redact(text));
  for (const { warnings } of pipelines) {
    for (const warning of warnings) terminal.warn(`warning: ${formatProblem(warning)}`);
  }
  const { closePipeline } = await import("../engine/run.ts");
  const { usePrivateTemp } = await import("./private-temp.ts");
  usePrivateTemp();
  try {
    shell.stop.signal.throwIfAborted();
    return await use(pipelines);
  } finally {
    for (const pipeline of pipelines) await closePipeline(pipeline);
  }
}
