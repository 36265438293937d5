export type { Environment } from "./expand-text.ts";
export { fileSchema } from "./file-schema.ts";
export { importConnector } from "./import-connector.ts";
export type {
  CacheConfig,
  ComponentConfig,
  PipelineConfig,
  SinkConfig,
  SourceConfig,
  StateConfig,
} from "./pipeline-config.ts";
export { formatProblem, type Position, type Problem, problemsFault } from "./problem.ts";
export { readPipeline, type ReadOptions, type ReadOutcome } from "./read-pipeline.ts";
export { canonicalJson, recipeHash } from "./recipe.ts";
export { createRedact, describeError, hidden, type Redact } from "./redact.ts";
