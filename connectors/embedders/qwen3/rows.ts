import type { Embeddings } from "../../../src/contracts/index.ts";
import { cutText, type Template } from "../../../src/embedding/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import type { ModelFolder } from "./model/model-folder.ts";

/** The ids of one text or of one part of a text, special tokens included. */
export interface TextRow {
  /** Which text of the call. */
  readonly text: number;
  readonly ids: Int32Array;
}

/** Tokens that may come together differently where a part meets the words around it. */
const margin = 8;

/** Turns the texts of a call into rows: one each or, where that is asked for, several for a text that is too long. */
export class RowMaker {
  readonly #folder: ModelFolder;
  readonly #split: boolean;

  constructor(folder: ModelFolder, split: boolean) {
    this.#folder = folder;
    this.#split = split;
  }

  async rows(
    texts: readonly string[],
    template: Template,
    signal: AbortSignal,
  ): Promise<readonly TextRow[]> {
    const whole = await this.#encode(texts, template, signal);
    const rows: TextRow[] = [];
    for (const [text, ids] of whole.entries()) {
      if (ids.length <= this.#folder.contextTokens) rows.push({ text, ids });
      else if (this.#split) rows.push(...(await this.#parts(texts, text, template, signal)));
      else throw this.#tooLong(ids.length, texts.length);
    }
    return rows;
  }

  async #parts(
    texts: readonly string[],
    text: number,
    template: Template,
    signal: AbortSignal,
  ): Promise<readonly TextRow[]> {
    const { encoder, contextTokens } = this.#folder;
    const [dress] = await this.#encode([""], template, signal);
    const bare = template.pattern === "" ? 0 : margin;
    const room = contextTokens - (dress?.length ?? 0) - bare;
    if (room < 1) throw this.#noRoom();
    const parts = await cutText((texts[text] ?? "").toWellFormed(), encoder.tokenizer, room);
    const rows = await this.#encode(
      parts.map((part) => part.text),
      template,
      signal,
    );
    for (const ids of rows) if (ids.length > contextTokens) throw this.#tooLong(ids.length, 1);
    return rows.map((ids) => ({ text, ids }));
  }

  async #encode(
    texts: readonly string[],
    template: Template,
    signal: AbortSignal,
  ): Promise<readonly Int32Array[]> {
    const dressed = texts.map((text) => template.apply(text.toWellFormed()));
    const encoded = await this.#folder.encoder.encode(dressed, signal);
    return encoded.map((ids) => rowOf(this.#folder, ids));
  }

  #tooLong(tokens: number, texts: number): Fault {
    const { contextTokens } = this.#folder;
    return new Fault(
      "embed.too-long",
      `A text has ${tokens} tokens with its instruction, the model reads ${contextTokens}. Lower the chunker's ` +
        "`max_tokens`, or set the embedder's `oversize: split`.",
      { retry: texts > 1 ? "smaller" : "never" },
    );
  }

  #noRoom(): Fault {
    return new Fault(
      "config.invalid",
      `The embedder's instruction leaves no room for a text in the ${this.#folder.contextTokens} tokens that the model ` +
        "reads. Shorten `document_instruction` or `query_instruction`.",
    );
  }
}

/** The ids of a text with the special tokens of the model around them. */
export function rowOf(
  { before, after }: Pick<ModelFolder, "before" | "after">,
  ids: Int32Array,
): Int32Array {
  const row = new Int32Array(before.length + ids.length + after.length);
  row.set(before);
  row.set(ids, before.length);
  row.set(after, before.length + ids.length);
  return row;
}

/** How many rows each text of a call has. */
export function partsOf(rows: readonly TextRow[], texts: number): readonly number[] {
  const parts = Array.from({ length: texts }, () => 0);
  for (const { text } of rows) parts[text] = (parts[text] ?? 0) + 1;
  return parts;
}

/** The tokens of a call, as a server would tell them. */
export function tokensOf(rows: readonly TextRow[]): NonNullable<Embeddings["tokens"]> {
  return rows.reduce((sum, { ids }) => sum + ids.length, 0);
}
