import { catalog as builtIn } from "../connectors/catalog.ts";
import {
  type ComponentConfig,
  type Environment,
  importConnector,
  type PipelineConfig,
  type Problem,
  problemsFault,
  readPipeline,
  type ReadOutcome,
  type Redact,
  recipeHash,
  type SourceConfig,
} from "./config/index.ts";
import type {
  Catalog,
  Clock,
  ComponentOf,
  ConnectorContext,
  ConnectorKind,
  EmbeddingCache,
  StateStore,
} from "./contracts/index.ts";
import type { Pipeline, PipelineSink, PipelineSource, Policy } from "./engine/pipeline.ts";
import { assert, Fault } from "./faults/index.ts";

const megabyte = 1024 * 1024;

/** One file, or several laid over one another (maps merged, lists replaced); relative paths resolve beside the first. */
export type PipelineFiles = string | readonly [string, ...string[]];

export interface ParsePipelineOptions {
  /** Where `${VAR}` is looked up; the environment of the process by default. */
  readonly env?: Environment;
  /** Files of `NAME=value` lines; the environment wins over them, a later file over an earlier one. */
  readonly envFiles?: readonly string[];
  /** `path=value` settings over the files, such as `sinks.edge.dimension=512`. */
  readonly set?: readonly string[];
  /** Other connectors than sluice's own. */
  readonly catalog?: Catalog;
}

export interface LoadPipelineOptions extends ParsePipelineOptions {
  readonly clock?: Clock;
}

/** A pipeline ready to run, with what its file has to say to people. */
export interface LoadedPipeline extends Pipeline {
  readonly file: string;
  /** Hides the file's secrets; for every text that leaves the process. */
  readonly redact: Redact;
  readonly warnings: readonly Problem[];
  readonly config: PipelineConfig;
}

/** Reads and checks a pipeline; makes no component and executes no code that the file names by path or package. */
export function parsePipeline(
  files: PipelineFiles,
  options: ParsePipelineOptions = {},
): Promise<ReadOutcome> {
  return readPipeline(layers(files), readOptions(options));
}

/**
 * Reads a pipeline and makes its components; opens nothing. Rejects with `config.invalid`, whose message has every
 * problem on a line of its own as `file:line:column: message`.
 */
export async function loadPipeline(
  files: PipelineFiles,
  options: LoadPipelineOptions = {},
): Promise<LoadedPipeline> {
  const [pipeline] = await loadPipelines([files], options);
  assert(pipeline !== undefined, "one pipeline was read");
  return pipeline;
}

/** Loads several pipelines for one command. Refuses two on one state file (`refused.pipeline`). */
export async function loadPipelines(
  groups: readonly PipelineFiles[],
  options: LoadPipelineOptions = {},
): Promise<LoadedPipeline[]> {
  const reading = { ...readOptions(options), loadExternal: importConnector };
  const outcomes = await Promise.all(groups.map((files) => readPipeline(layers(files), reading)));
  const problems = outcomes.flatMap((outcome) => outcome.problems);
  if (problems.length > 0) throw problemsFault(problems);
  const configs = outcomes.flatMap(({ config }) => (config === undefined ? [] : [config]));
  assertDistinct(configs);
  return Promise.all(outcomes.map((outcome) => compose(outcome, options.clock)));
}

/** Rejects two pipelines that would keep their states in one file, or a state where the other has its cache. */
export function assertDistinct(configs: readonly PipelineConfig[]): void {
  const states = new Map<string, PipelineConfig>();
  for (const config of configs) {
    if (config.state.type === "memory") continue;
    const { path } = config.state;
    const first = states.get(path);
    if (first !== undefined) throw new Fault("refused.pipeline", clash(first, config, path));
    states.set(path, config);
  }
  for (const config of configs) {
    const owner = config.cache.type === "sqlite" ? states.get(config.cache.path) : undefined;
    if (owner === undefined) continue;
    throw new Fault(
      "refused.pipeline",
      `${named(owner)} keeps its state where ${named(config)} keeps its cache. Give one of them another path.`,
    );
  }
}

function clash(first: PipelineConfig, second: PipelineConfig, path: string): string {
  if (first.name !== second.name) {
    return (
      `${named(first)} and ${named(second)} both keep their state in \`${path}\`, but a state file belongs to one ` +
      "pipeline. Give one of them another `state.path`."
    );
  }
  return (
    `\`${first.file}\` and \`${second.file}\` both describe the pipeline \`${first.name}\` with the state ` +
    `\`${path}\`. Rename one of them, or give it another \`state.path\`.`
  );
}

function named({ name, file }: PipelineConfig): string {
  return `\`${name}\` of \`${file}\``;
}

function layers(files: PipelineFiles): readonly [string, ...string[]] {
  return typeof files === "string" ? [files] : files;
}

function readOptions(options: ParsePipelineOptions) {
  return {
    catalog: options.catalog ?? builtIn,
    ...(options.env === undefined ? {} : { environment: options.env }),
    environmentFiles: options.envFiles ?? [],
    settings: options.set ?? [],
  };
}

async function compose(outcome: ReadOutcome, given: Clock | undefined): Promise<LoadedPipeline> {
  const { config, redact, warnings } = outcome;
  const clock = given ?? (await import("./flow/index.ts")).systemClock;
  assert(config !== undefined, "a pipeline without problems has a configuration");
  const { name, folder, fields } = config;
  const context = (component: string): ConnectorContext => ({
    name: component,
    pipeline: name,
    folder,
    clock,
    fields,
  });
  const sources = [...config.sources].map(
    ([key, source]) => [key, pipelineSource(key, source, context)] as const,
  );
  const sinks = [...config.sinks].map(([key, { previously, component, dimension }]) => {
    const sink = make(component, context(key));
    return [key, { name: key, ...former(previously), sink, dimension }] satisfies [
      string,
      PipelineSink,
    ];
  });
  return {
    name,
    ...former(config.previously),
    file: config.file,
    sources: new Map(sources),
    embedder: make(config.embedder, context(config.embedder.name)),
    sinks: new Map(sinks),
    state: await stateStore(config, clock),
    cache: await embeddingCache(config),
    fields,
    policy: policy(config),
    redact,
    warnings,
    config,
  };
}

function pipelineSource(
  name: string,
  config: SourceConfig,
  context: (component: string) => ConnectorContext,
): PipelineSource {
  const parsers = config.parsers.map((parser) => ({
    type: parser.type,
    parser: make(parser, context(parser.name)),
    recipe: recipeHash(parser),
  }));
  return {
    name,
    ...former(config.previously),
    source: make(config.component, context(name)),
    metadata: config.metadata,
    parsers,
    chunker: make(config.chunker, context(config.chunker.name)),
    chunkerRecipe: recipeHash(config.chunker),
  };
}

function make<Kind extends ConnectorKind>(
  component: ComponentConfig<Kind>,
  context: ConnectorContext,
): ComponentOf[Kind] {
  const { connector, config } = component;
  assert(connector !== undefined, `the ${component.kind} \`${component.type}\` is not loaded`);
  return connector.create(config, context);
}

// State and cache are loaded here and not above: `validate` and `schema` start without a database.
async function stateStore(config: PipelineConfig, clock: Clock): Promise<StateStore> {
  const { memoryStateStore, sqliteStateStore } = await import("./state/index.ts");
  if (config.state.type === "memory") return memoryStateStore();
  const { type: _, ...paths } = config.state;
  return sqliteStateStore({ ...paths, pipelineFile: config.file, clock });
}

async function embeddingCache(config: PipelineConfig): Promise<EmbeddingCache | undefined> {
  if (config.cache.type === "none") return undefined;
  const { redisCache, sqliteCache } = await import("./cache/index.ts");
  return config.cache.type === "redis" ? redisCache(config.cache) : sqliteCache(config.cache);
}

function policy(config: PipelineConfig): Policy {
  const { limits, retry } = config;
  return {
    deletions: { maxFraction: config.deletions.max_fraction },
    reprocess: { maxFraction: config.reprocess.max_fraction },
    failures: { maxDocuments: config.failures.max_documents },
    limits: {
      tokensInFlight: limits.tokens_in_flight,
      memoryBytes: limits.memory_mb * megabyte,
      maxDocumentBytes: limits.max_document_mb * megabyte,
      parseTimeoutMs: limits.parse_timeout_ms,
      documents: limits.documents,
    },
    retry: {
      attempts: retry.attempts,
      baseMs: retry.base_ms,
      maxMs: retry.max_ms,
      totalMs: retry.total_ms,
    },
    positions: config.positions,
  };
}

/** Left out when there is none: optional properties may not be undefined. */
function former(previously: string | undefined): { previously?: string } {
  return previously === undefined ? {} : { previously };
}
