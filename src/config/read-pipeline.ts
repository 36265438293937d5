import { dirname, resolve } from "node:path";
import type { Catalog } from "../contracts/index.ts";
import { assemble } from "./assemble.ts";
import { readEnvironment } from "./environment.ts";
import type { Environment } from "./expand-text.ts";
import { Inspection } from "./inspection.ts";
import { partProblems } from "./issue-problems.ts";
import { toJsonSchema } from "./json-schema.ts";
import { applySetting, mergeTrees } from "./layers.ts";
import { lintPipeline } from "./lints.ts";
import { findNulls } from "./nulls.ts";
import { parseYaml } from "./parse-yaml.ts";
import type { PipelineConfig } from "./pipeline-config.ts";
import { pipelineSchema } from "./pipeline-schema.ts";
import { type Problem, sortProblems } from "./problem.ts";
import { readText } from "./read-text.ts";
import { createRedact, type Redact } from "./redact.ts";
import { createRegistry, type LoadExternal } from "./registry.ts";
import { forgottenState, sharedFile } from "./storage.ts";
import { type Node, toValue } from "./tree.ts";
import { expandVariables } from "./variables.ts";

export interface ReadOptions {
  readonly catalog: Catalog;
  /** Default: the environment of the process. */
  readonly environment?: Environment;
  /** Files of `NAME=value` lines, for variables that the environment does not set. */
  readonly environmentFiles?: readonly string[];
  /** `path=value`, applied over the files in order. */
  readonly settings?: readonly string[];
  /** Without it, no code that the file names by path or package is executed; the rest is checked. */
  readonly loadExternal?: LoadExternal;
}

/** Everything that is known about a pipeline file. Texts are redacted. */
export interface ReadOutcome {
  readonly problems: readonly Problem[];
  /** Nothing that stops a run. */
  readonly warnings: readonly Problem[];
  /** Undefined when there are problems. */
  readonly config: PipelineConfig | undefined;
  /** Hides the file's secrets; for every text that leaves the process. */
  readonly redact: Redact;
}

/** Reads a pipeline from one file, or from several laid over one another, and finds all problems at once. */
export async function readPipeline(
  files: readonly [string, ...string[]],
  options: ReadOptions,
): Promise<ReadOutcome> {
  const layered = await readLayers(files, options.settings ?? []);
  const { environment, problems } = await readEnvironment(
    options.environment ?? process.env,
    options.environmentFiles ?? [],
  );
  const early = [...layered.problems, ...problems];
  if (layered.tree === undefined) return finish(early, [], undefined, createRedact([]), files);
  const expanded = expandVariables(layered.tree, environment);
  const file = resolve(files[0]);
  const registry = createRegistry(options.catalog, dirname(file), options.loadExternal);
  const inspection = new Inspection(expanded.tree, registry, expanded.used);
  inspection.add([...early, ...expanded.problems, ...findNulls(expanded.tree)]);
  const value = checkCore(inspection);
  inspection.add(lintPipeline(inspection.root));
  const config = await assemble(value, file, inspection);
  if (config !== undefined) {
    inspection.add(sharedFile(config, inspection.root));
    inspection.warn(forgottenState(config, inspection.root));
  }
  return finish(inspection.problems, inspection.warnings, config, inspection.redact(), files);
}

async function readLayers(
  files: readonly string[],
  settings: readonly string[],
): Promise<{ tree: Node | undefined; problems: Problem[] }> {
  const texts = await Promise.all(files.map((file) => readText(file)));
  let problems: Problem[] = [];
  const trees: Node[] = [];
  for (const [index, text] of texts.entries()) {
    if ("problem" in text) {
      problems.push(text.problem);
      continue;
    }
    const parsed = parseYaml(text.text, files[index] ?? "");
    problems = problems.concat(parsed.problems);
    if (parsed.tree !== undefined) trees.push(parsed.tree);
  }
  // A missing layer would make false problems of its keys.
  if (trees.length < files.length) return { tree: undefined, problems };
  let tree = trees.reduce((base, over) => mergeTrees(base, over));
  for (const setting of settings) {
    const applied = applySetting(tree, setting);
    tree = applied.tree;
    problems = problems.concat(applied.problems);
  }
  return { tree, problems };
}

/** Checks all but the components' own keys. Undefined when something is wrong. */
function checkCore(inspection: Inspection) {
  const schema = toJsonSchema(pipelineSchema, "core-");
  const root = inspection.root;
  if (root.kind === "map") {
    const components = new Set(["sources", "sinks", "embedder", "chunker"]);
    const entries = [...root.entries].filter(([key]) => !components.has(key));
    inspection.visit({ ...root, entries: new Map(entries) }, [], schema);
  }
  const parsed = pipelineSchema.safeParse(toValue(root));
  inspection.add(partProblems(parsed.error?.issues ?? [], { root, base: [], schema }));
  return parsed.data;
}

function finish(
  problems: readonly Problem[],
  warnings: readonly Problem[],
  config: PipelineConfig | undefined,
  redact: Redact,
  files: readonly string[],
): ReadOutcome {
  const clean = (found: readonly Problem[]): Problem[] =>
    sortProblems(
      found.map(({ at, message }) => ({ at, message: redact(message) })),
      files,
    );
  return {
    problems: clean(problems),
    warnings: clean(warnings),
    config: problems.length === 0 ? config : undefined,
    redact,
  };
}
