import type { Tokenizer } from "../../../src/contracts/index.ts";

export interface HeadingContext {
  /** Ends with a line end; empty when there is nothing to say. */
  readonly text: string;
  readonly tokens: number;
}

const none: HeadingContext = { text: "", tokens: 0 };

/**
 * Makes the text that goes before a chunk for embedding: title and heading path in one line. At most a quarter of the
 * bound: the outermost parts are left out first, then the innermost heading is cut at its end.
 */
export class HeadingContexts {
  readonly #tokenizer: Tokenizer;
  readonly #title: string | undefined;
  readonly #maxTokens: number;
  /** The last few; paths come in runs. */
  readonly #known = new Map<string, HeadingContext>();

  constructor(tokenizer: Tokenizer, title: string | undefined, maxTokens: number) {
    this.#tokenizer = tokenizer;
    this.#title = title;
    this.#maxTokens = maxTokens;
  }

  /** `opening` is the heading that the text itself begins with: it need not stand before it too. */
  async of(headings: readonly string[], opening = ""): Promise<HeadingContext> {
    const path = headings.map(oneLine).filter((heading) => heading !== "");
    const title = oneLine(this.#title ?? "");
    if (title !== "" && title !== path[0] && title !== oneLine(opening)) path.unshift(title);
    if (path.length === 0) return none;
    const key = JSON.stringify(path);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= 64) this.#known.clear();
    const context = await this.#fit(path);
    this.#known.set(key, context);
    return context;
  }

  async #fit(path: readonly string[]): Promise<HeadingContext> {
    for (let first = 0; first < path.length; first += 1) {
      const context = await this.#measure(path.slice(first).join(" > "));
      if (context.tokens <= this.#maxTokens) return context;
    }
    const last = path.at(-1) ?? "";
    for (let units = Math.min(last.length, this.#maxTokens * 8); units > 0; units >>= 1) {
      const context = await this.#measure(last.slice(0, units).toWellFormed().trim());
      if (context.tokens <= this.#maxTokens) return context;
    }
    return none;
  }

  async #measure(line: string): Promise<HeadingContext> {
    const text = `${line}\n`;
    const [tokens = 0] = await this.#tokenizer.countBatch([text]);
    return { text, tokens };
  }
}

/** Headings are short; of a long one the beginning is enough. */
const headingMaxUnits = 2000;

function oneLine(text: string): string {
  return text.slice(0, headingMaxUnits).replaceAll(/\s+/g, " ").trim();
}
