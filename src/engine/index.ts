export { closePipeline, run, type RunResult } from "./run.ts";
export type { RunOptions } from "./context.ts";
export type { RunEvent } from "./events.ts";
export { RunMeter, type RunMeterOptions } from "./meter.ts";
export {
  batchFill,
  type CacheMeasures,
  type EmbeddingMeasures,
  type GpuMeasures,
  type LoopMeasures,
  paddingShare,
  type RunMeasures,
} from "./measures.ts";
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
  EmbeddingSummary,
  FailureSummary,
  GpuSummary,
  PlaceSummary,
  RunStatus,
  RunSummary,
  SinkCounts,
  WithheldSummary,
} from "./summary.ts";
export { adopt, type AdoptResult } from "./adopt.ts";
export { forget, type ForgetOptions, type ForgetResult } from "./forget.ts";
export { query, type QueryHit, type QueryOptions } from "./query.ts";
export { verify, type SinkVerdict, type VerifyOptions, type VerifyResult } from "./verify.ts";
export { plan, type Plan, type PlanOptions, type PlanResult } from "./plan.ts";
export type { PlannedSink } from "./plan-sinks.ts";
