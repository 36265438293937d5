import type { DocumentRef, FieldType, JsonObject } from "../contracts/index.ts";
import { canonicalJson, digest } from "./identity.ts";
import type { Pipeline, PipelineParser, PipelineSource } from "./pipeline.ts";

/** Changes when the engine makes other records of the same chunks. */
const engineRevision = "1";

/** Names everything besides the document itself that shapes the chunks and their vectors. */
export function recipeOf(source: PipelineSource, parser: PipelineParser | undefined): string {
  return digest("recipe", parser?.recipe ?? "", source.chunkerRecipe);
}

/** The hash of what a source says about a document besides its content. */
export function metadataHash(document: DocumentRef, metadata: JsonObject): string {
  const described = document.metadataRevision ?? canonicalJson(document.metadata);
  return digest(
    "metadata",
    document.title ?? "",
    document.uri ?? "",
    described,
    canonicalJson(metadata),
    document.mediaType,
  );
}

/** Everything that names a version of a document in a target, besides the document: made once per recipe and target. */
export function versionBase(options: {
  readonly pipeline: Pipeline;
  readonly source: string;
  readonly recipe: string;
  readonly shape: string;
  readonly space: string;
}): string {
  const { pipeline } = options;
  return digest(
    "version",
    engineRevision,
    pipeline.name,
    options.source,
    options.recipe,
    options.shape,
    options.space,
    fieldsText(pipeline.fields),
    String(pipeline.policy.positions),
  );
}

/** The version that a target holds when it holds exactly the records of this content, metadata and recipe. */
export function versionOf(base: string, content: string, metadata: string): string {
  return digest(base, content, metadata);
}

function fieldsText(fields: Readonly<Record<string, FieldType>>): string {
  return canonicalJson(fields);
}
