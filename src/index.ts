export type * from "./contracts/index.ts";
export { define, secret } from "./contracts/index.ts";
export type {
  AdoptResult,
  DocumentCounts,
  ExitCode,
  FailureSummary,
  ForgetOptions,
  ForgetResult,
  Pipeline,
  Plan,
  PlannedSink,
  PlanOptions,
  PlanResult,
  QueryHit,
  QueryOptions,
  RunEvent,
  RunOptions,
  RunResult,
  RunStatus,
  RunSummary,
  SinkCounts,
  SinkVerdict,
  VerifyOptions,
  VerifyResult,
  WithheldSummary,
} from "./engine/index.ts";
export {
  adopt,
  closePipeline,
  exitCodeOf,
  exitCodes,
  forget,
  plan,
  query,
  run,
  verify,
} from "./engine/index.ts";
export {
  acceptFailures,
  type Failure,
  listFailures,
  type PipelineStatus,
  retryFailures,
  status,
} from "./engine/inspect.ts";
export {
  Fault,
  type FaultCodeName,
  faultCodes,
  type FaultOptions,
  isFault,
} from "./faults/index.ts";
export {
  type LoadedPipeline,
  loadPipeline,
  type LoadPipelineOptions,
  type PipelineFiles,
} from "./load-pipeline.ts";
