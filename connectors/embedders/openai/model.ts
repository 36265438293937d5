import type { EmbeddingModel, Tokenizer } from "../../../src/contracts/index.ts";
import { queryTemplate, type Template, textTemplate } from "../../../src/embedding/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { knownModel } from "../../../src/models/index.ts";
import { qwen3Tokenizer } from "../../../src/tokenizer/index.ts";
import type { OpenaiConfig } from "./config.ts";

/** For models that are not known and say nothing in the file. */
const usualContextTokens = 8_192;
const usualMin = 32;
/** Most models mark both ends of a text. */
const usualSpecialTokens = 2;

/** What configuration and common knowledge say of a model. */
export interface ModelDescription {
  /** The length of its vectors, unless only the server can tell. */
  readonly native?: number;
  readonly tokenizer: Tokenizer;
  /** The longest text in tokens, special tokens included. */
  readonly contextTokens: number;
  /** How many tokens the model puts around every text itself. */
  readonly specialTokens: number;
  /** Whether every text ends in a token that the tokenizer does not count. */
  readonly endToken: boolean;
  /** That token's id, where it is known. */
  readonly endTokenId?: number;
  readonly templates: { readonly document: Template; readonly query: Template };
  /** The model, once it is known how long its vectors are, how long a text its servers read, and what is added to it. */
  model(native: number, contextTokens: number, specialTokens: number): EmbeddingModel;
}

/** Puts together what is known of the configured model. Configuration wins over common knowledge. */
export function describeModel(config: OpenaiConfig): ModelDescription {
  const known = knownModel(config.model);
  const whole = config.native_dimension ?? known?.native;
  if (config.dimensions !== undefined && whole !== undefined && config.dimensions > whole) {
    throw new Fault(
      "config.invalid",
      `\`dimensions: ${config.dimensions}\` is more than the ${whole} that the model \`${config.model}\` has.`,
    );
  }
  const native = config.dimensions ?? whole;
  const instruction = config.query_instruction ?? known?.queryTask ?? "";
  const templates = {
    document: textTemplate(config.document_instruction),
    query: queryTemplate(instruction, known?.queryFrame),
  };
  const matryoshka = config.matryoshka ?? known !== undefined;
  const min = config.min_dimension ?? known?.min ?? usualMin;
  const price = config.price_per_million_tokens;
  const exact = (config.tokenizer ?? known?.tokenizer) === "qwen3";
  const contextTokens = config.context_tokens ?? known?.contextTokens ?? usualContextTokens;
  const specialTokens = exact ? 1 : known === undefined ? usualSpecialTokens : 0;
  return {
    ...(native === undefined ? {} : { native }),
    tokenizer: exact ? qwen3Tokenizer() : standIn(qwen3Tokenizer()),
    contextTokens,
    specialTokens,
    endToken: exact,
    templates,
    ...(known?.endToken === undefined ? {} : { endTokenId: known.endToken }),
    model: (length, readTokens, addedTokens) => ({
      id: config.model,
      ...revisionOf(config),
      dimensions: { native: length, min: matryoshka ? Math.min(min, length) : length, matryoshka },
      contextTokens: readTokens,
      specialTokens: addedTokens,
      prompts: { document: templates.document.pattern, query: templates.query.pattern },
      ...(price === undefined ? {} : { pricePerMillionTokens: price }),
    }),
  };
}

/** Texts that are cut into other parts have other vectors; what the server reads is not the file's to say. */
function revisionOf({ oversize, context_tokens: context }: OpenaiConfig): { revision?: string } {
  return oversize === "split" && context !== undefined ? { revision: `parts-${context}` } : {};
}

/** Another model's tokenizer; its counts are near enough to cut by. */
function standIn(tokenizer: Tokenizer): Tokenizer {
  return {
    id: `stand-in:${tokenizer.id}`,
    exact: false,
    countBatch: (texts) => tokenizer.countBatch(texts),
    pieces: (texts) => tokenizer.pieces(texts),
  };
}
