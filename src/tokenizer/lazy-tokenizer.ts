import type { TokenPieces, Tokenizer } from "../contracts/index.ts";

/** A model's tokenizer, which is read when it is first needed. */
export class LazyTokenizer implements Tokenizer {
  readonly exact = true;
  readonly #name: string;
  readonly #load: () => Promise<Tokenizer>;
  #loaded: Tokenizer | undefined;

  constructor(name: string, load: () => Promise<Tokenizer>) {
    this.#name = name;
    this.#load = load;
  }

  /** That of the file's content, once it is read: when the embedder is open, or something was counted. */
  get id(): string {
    return this.#loaded?.id ?? `tokenizer of ${this.#name}`;
  }

  /** Reads the file, unless that has been done. */
  async ready(): Promise<Tokenizer> {
    this.#loaded ??= await this.#load();
    return this.#loaded;
  }

  async countBatch(texts: readonly string[]): Promise<number[]> {
    return (await this.ready()).countBatch(texts);
  }

  async pieces(texts: readonly string[]): Promise<readonly TokenPieces[]> {
    return (await this.ready()).pieces(texts);
  }
}
