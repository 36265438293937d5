export { closePipeline, run, type RunResult } from "./run.ts";
export type { RunOptions } from "./context.ts";
export type { RunEvent } from "./events.ts";
export { exitCodeOf, exitCodes, type ExitCode } from "./exit-code.ts";
export {
  defaultPolicy,
  type Pipeline,
  type PipelineParser,
  type PipelineSink,
  type PipelineSource,
  type Policy,
} from "./pipeline.ts";
export type {
  DocumentCounts,
  FailureSummary,
  RunStatus,
  RunSummary,
  SinkCounts,
  WithheldSummary,
} from "./summary.ts";
