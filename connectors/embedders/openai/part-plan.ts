import type { Tokenizer } from "../../../src/contracts/index.ts";
import { cutText, type Template } from "../../../src/embedding/index.ts";
import { Fault } from "../../../src/faults/index.ts";

/** A text of a call, or one part of it, as it is sent. */
export interface TextRow {
  /** Which text of the call. */
  readonly text: number;
  /** The text or part without its dress. */
  readonly bare: string;
  /** The same, dressed. */
  readonly input: string;
  /** Tokens of `input` and the special ones around it; of texts that surely fit, as many as they may have. */
  readonly tokens: number;
  /** It is all of its text. */
  readonly isWhole: boolean;
  /** How often it was halved since, because a server took less than expected. */
  readonly halvings: number;
}

export interface PartPlanOptions {
  readonly tokenizer: Tokenizer;
  readonly template: Template;
  /** The longest text that every server reads, special tokens included. */
  readonly contextTokens: number;
  readonly specialTokens: number;
}

/** Another vocabulary may have more tokens for a text, so an estimate must stay below this share of the context. */
const estimateShare = 3 / 4;
/** Tokens that may come together differently where a part meets its dress. */
const margin = 8;
/** A part is not halved more often; 1/64 of the context is another mistake than an estimate's. */
const mostHalvings = 6;

/** Decides in which parts texts are sent. It depends on the text and the settings only, not on what was sent before. */
export class PartPlan {
  /** Dressed texts with more tokens are cut. */
  readonly limit: number;
  readonly #options: PartPlanOptions;

  constructor(options: PartPlanOptions) {
    const { tokenizer, contextTokens, specialTokens } = options;
    const room = contextTokens - specialTokens;
    this.#options = options;
    this.limit = tokenizer.exact ? room : Math.floor(room * estimateShare);
  }

  /** The rows of these texts, in order. Only texts that may be too long are counted: no token is shorter than a byte. */
  async rows(texts: readonly string[]): Promise<readonly TextRow[]> {
    const { template, tokenizer } = this.#options;
    const whole = texts.map((bare, text) => {
      const input = template.apply(bare.toWellFormed());
      const tokens = Math.min(Buffer.byteLength(input), this.limit);
      return { text, bare, input, tokens, isWhole: true, halvings: 0 };
    });
    const doubtful = whole.filter(({ input }) => Buffer.byteLength(input) > this.limit);
    const counts = await tokenizer.countBatch(doubtful.map(({ input }) => input));
    const long = new Set(doubtful.filter((_, index) => (counts[index] ?? 0) > this.limit));
    const rows: TextRow[] = [];
    for (const row of whole) rows.push(...(long.has(row) ? await this.#cut(row) : [row]));
    return rows;
  }

  /** A part in smaller ones; undefined when that has been done often enough, or it is a single character. */
  async halve(row: TextRow): Promise<readonly TextRow[] | undefined> {
    if (row.halvings >= mostHalvings) return undefined;
    const { tokenizer } = this.#options;
    const [tokens = 0] = await tokenizer.countBatch([row.bare]);
    const parts = await cutText(row.bare, tokenizer, Math.max(1, Math.ceil(tokens / 2)));
    if (parts.length < 2) return undefined;
    const bare = parts.map((part) => part.text);
    return await this.#dressed(bare, { ...row, halvings: row.halvings + 1 });
  }

  async #cut(row: TextRow): Promise<readonly TextRow[]> {
    const { template, tokenizer } = this.#options;
    const [dress = 0] =
      template.pattern === "" ? [] : await tokenizer.countBatch([template.apply("")]);
    const room = this.limit - dress - (template.pattern === "" ? 0 : margin);
    if (room < 1) throw this.#noRoom();
    const parts = await cutText(row.bare.toWellFormed(), tokenizer, room);
    const bare = parts.map((part) => part.text);
    return await this.#dressed(bare, { ...row, isWhole: false });
  }

  async #dressed(parts: readonly string[], row: TextRow): Promise<readonly TextRow[]> {
    const { template, tokenizer, specialTokens } = this.#options;
    const inputs = parts.map((part) => template.apply(part));
    const counts = await tokenizer.countBatch(inputs);
    return parts.map((bare, index) => ({
      ...row,
      bare,
      input: inputs[index] ?? "",
      tokens: (counts[index] ?? 0) + specialTokens,
    }));
  }

  #noRoom(): Fault {
    return new Fault(
      "config.invalid",
      `The embedder's instruction leaves no room for a text in the ${this.#options.contextTokens} tokens that the model ` +
        "reads. Shorten `document_instruction` or `query_instruction`.",
    );
  }
}
