import type { DocumentRef, JsonObject } from "../contracts/index.ts";
import { canonicalJson, digest } from "./identity.ts";
import { parserFor } from "./parsing.ts";
import type { Pipeline, PipelineParser, PipelineSource } from "./pipeline.ts";

/** Changes when the engine makes other records of the same chunks. */
const engineRevision = "1";

/** How documents become records: one parser and the chunker of a source, under one embedding space. */
export interface Recipe {
  /** Names everything besides the document itself that shapes the chunks. */
  readonly id: string;
  /** Names, besides the document, everything that shapes the records of a target whose sink has this shape. */
  baseFor(shape: string): string;
}

/** The recipes of a run. Each is made once, not for every document. */
export class Recipes {
  readonly #pipeline: Pipeline;
  readonly #space: string;
  readonly #known = new Map<PipelineSource, Map<PipelineParser | undefined, Recipe>>();

  constructor(pipeline: Pipeline, space: string) {
    this.#pipeline = pipeline;
    this.#space = space;
  }

  /** The recipe for a document of this source, by its media type. */
  of(source: PipelineSource, document: DocumentRef): Recipe {
    const isBytes = document.content.kind === "bytes";
    const parser = isBytes ? parserFor(source, document.mediaType) : undefined;
    let known = this.#known.get(source);
    if (known === undefined) this.#known.set(source, (known = new Map()));
    let recipe = known.get(parser);
    if (recipe === undefined) known.set(parser, (recipe = this.#make(source, parser)));
    return recipe;
  }

  /** The parsers that documents of this source have needed so far. */
  parsersOf(source: PipelineSource): readonly PipelineParser[] {
    const parsers = [...(this.#known.get(source)?.keys() ?? [])];
    return parsers.filter((parser) => parser !== undefined);
  }

  #make(source: PipelineSource, parser: PipelineParser | undefined): Recipe {
    const pipeline = this.#pipeline;
    const { tokenizer } = pipeline.embedder;
    const id = digest("recipe", parser?.recipe ?? "", source.chunkerRecipe, tokenizer.id);
    const fields = canonicalJson(pipeline.fields);
    const positions = String(pipeline.policy.positions);
    const bases = new Map<string, string>();
    const baseFor = (shape: string): string => {
      let base = bases.get(shape);
      if (base === undefined) {
        const records = [pipeline.name, source.name, id, shape, this.#space, fields, positions];
        bases.set(shape, (base = digest("version", engineRevision, ...records)));
      }
      return base;
    };
    return { id, baseFor };
  }
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

/** The version that a target holds when it holds exactly the records of this content, metadata and recipe. */
export function versionOf(base: string, content: string, metadata: string): string {
  return digest(base, content, metadata);
}
