import { isAbsolute, resolve } from "node:path";
import type { EmbeddingModel } from "../../../../src/contracts/index.ts";
import { queryTemplate, type Template, textTemplate } from "../../../../src/embedding/index.ts";
import { knownModel, modelFolder } from "../../../../src/models/index.ts";
import type { Qwen3Config } from "../config.ts";
import type { ModelFolder, ModelPlace } from "./model-folder.ts";

/** The shortest prefix that the makers of Qwen3-Embedding recommend. */
const usualMin = 32;
/** The frame and the task of Qwen3-Embedding, which models of its kind are trained with, too. */
const usual = knownModel("Qwen/Qwen3-Embedding");

export interface Templates {
  readonly document: Template;
  readonly query: Template;
}

/** Where the configured model is. */
export function placeOf(config: Qwen3Config, pipelineFolder: string): ModelPlace {
  const { model: name, path, revision, file } = config;
  const known = knownModel(name);
  const given = path !== undefined && !isAbsolute(path) ? resolve(pipelineFolder, path) : path;
  return {
    name,
    folder: given ?? modelFolder(name, revision),
    file,
    native: known?.native,
    contextTokens: Math.min(known?.contextTokens ?? Infinity, config.context_tokens ?? Infinity),
  };
}

/** How texts are dressed. Configuration wins over what is known. */
export function templatesOf(config: Qwen3Config): Templates {
  const known = knownModel(config.model) ?? usual;
  return {
    document: textTemplate(config.document_instruction),
    query: queryTemplate(config.query_instruction ?? known?.queryTask ?? "", known?.queryFrame),
  };
}

/** What identifies the embedding space. */
export function describeModel(
  config: Qwen3Config,
  folder: ModelFolder,
  templates: Templates,
): EmbeddingModel {
  const known = knownModel(config.model);
  const native = folder.graph.hidden;
  const matryoshka = config.matryoshka ?? known !== undefined;
  const min = Math.min(config.min_dimension ?? known?.min ?? usualMin, native);
  return {
    id: config.model,
    revision: revisionOf(config, folder),
    dimensions: { native, min: matryoshka ? min : native, matryoshka },
    contextTokens: folder.contextTokens,
    specialTokens: folder.before.length + folder.after.length,
    prompts: { document: templates.document.pattern, query: templates.query.pattern },
  };
}

/** Texts that are cut into other parts have other vectors; a context that nobody set follows from the content. */
function revisionOf(
  { oversize, context_tokens: context }: Qwen3Config,
  { revision, contextTokens }: ModelFolder,
): string {
  return oversize === "split" && context !== undefined ? `${revision}-${contextTokens}` : revision;
}
