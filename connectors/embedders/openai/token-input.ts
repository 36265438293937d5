import { isAbsolute, resolve } from "node:path";
import { cosineOf } from "../../../src/embedding/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { LazyTokenizer, type SpecialTokens, TokenEncoder } from "../../../src/tokenizer/index.ts";
import type { OpenaiConfig } from "./config.ts";
import type { ModelDescription } from "./model.ts";
import type { Endpoint } from "./endpoint.ts";
import { type ServerKind, serverNames } from "./server/server-kind.ts";

interface TokenInputOptions {
  /** The `tokenizer.json`, absolute or relative to `folder`. */
  readonly file: string;
  readonly folder: string;
  /** The token that ends every text, where the file says nothing of special ones. */
  readonly endToken: number | undefined;
  readonly timeoutMs: number;
}

/** Products that read ids as they are. TEI and Infinity turn them into text or refuse them, and Ollama does. */
const readers: ReadonlySet<ServerKind> = new Set(["sglang", "vllm", "llama.cpp"]);
/** What different tokenizers read differently: loose marks, other scripts, digits, white space, code, literal tokens. */
const proofTexts = [
  "A sluice is a gate that controls the flow of water in a channel.",
  "A\u030angstro\u0308m \u6c34\u9580\u306f\u6c34\u306e\u6d41\u308c\u3092\u8abf\u7bc0\u3059\u308b\u3002 1234567890 \u{1f680}",
  "  def flow(rate):\n\treturn rate * 2  # m³/s\r\n\r\n",
  "It's <|im_end|> literally",
];
/** Two vectors of one text by the same model, in other batches, are at least this near. */
const sameText = 0.999;

/** The tokenizer file that the configuration names, if it does. */
export function tokenInputOf(
  config: OpenaiConfig,
  { endTokenId }: ModelDescription,
  folder: string,
): TokenInput | undefined {
  const { tokenizer, tokenizer_file: file, input, timeout_ms: timeoutMs } = config;
  if (file === undefined) {
    if (input === "text") return undefined;
    throw new Fault(
      "config.invalid",
      "The embedder has `input: tokens`, and no `tokenizer_file` to make them. Name the model's `tokenizer.json`.",
    );
  }
  if (tokenizer === undefined)
    return new TokenInput({ file, folder, endToken: endTokenId, timeoutMs });
  throw new Fault(
    "config.invalid",
    "The embedder has both `tokenizer` and `tokenizer_file`. Take one of them out.",
  );
}

/** A model's own tokenizer file, which counts to the last token and makes the ids that servers read in place of texts. */
export class TokenInput {
  readonly tokenizer: LazyTokenizer;
  readonly #options: TokenInputOptions;
  readonly #closed = new AbortController();
  #encoder: Promise<TokenEncoder> | undefined;

  constructor(options: TokenInputOptions) {
    this.#options = options;
    this.tokenizer = new LazyTokenizer(options.file, async () => (await this.#open()).tokenizer);
  }

  /** The special tokens around every text. */
  async special(): Promise<SpecialTokens> {
    const { special } = await this.#open();
    if (special !== undefined && special.before.length + special.after.length > 0) return special;
    const { endToken } = this.#options;
    return { before: [], after: endToken === undefined ? [] : [endToken] };
  }

  /** The ids of dressed texts, special tokens included. */
  async ids(
    input: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly (readonly number[])[]> {
    const encoder = await this.#open();
    const { before, after } = await this.special();
    const encoded = await encoder.encode(input, signal);
    return encoded.map((ids) => [...before, ...ids, ...after]);
  }

  /**
   * Why a server must be sent texts; undefined when it gives ids the vectors of their texts, and counts as many tokens.
   * Rejects with a fault that says `later` where that could not be found out.
   */
  async doubtOf(endpoint: Endpoint, signals: readonly AbortSignal[]): Promise<string | undefined> {
    const { kind } = endpoint.facts;
    if (kind === undefined) return "it is not known whether the server reads token ids";
    if (!readers.has(kind)) return `${serverNames[kind]} does not read token ids as they are`;
    try {
      for (const text of proofTexts) {
        const doubt = await this.#doubtOfText(endpoint, text, signals);
        if (doubt !== undefined) return doubt;
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof Fault) || error.retry === "later" || error.code === "aborted")
        throw error;
      return `the server refuses token ids (\`${error.code}\`)`;
    }
  }

  async #doubtOfText(
    endpoint: Endpoint,
    text: string,
    signals: readonly AbortSignal[],
  ): Promise<string | undefined> {
    const request = { input: [text], dimension: undefined, timeoutMs: this.#options.timeoutMs };
    const ids = await this.ids([text], AbortSignal.any([...signals]));
    const whole = await endpoint.embed(request, signals);
    const counted = ids[0]?.length ?? 0;
    if (whole.tokens !== undefined && whole.tokens !== counted) {
      return `the server counts ${whole.tokens} tokens in a text of which \`tokenizer_file\` makes ${counted}`;
    }
    const byIds = await endpoint.embed({ ...request, ids }, signals);
    const [left, right] = [whole.vectors[0], byIds.vectors[0]];
    const cosine = left?.length === right?.length && left && right ? cosineOf(left, right) : 0;
    // Written so that what is no number differs.
    if (cosine > sameText) return undefined;
    return `the server gives token ids another vector than their text (cosine ${cosine.toFixed(4)})`;
  }

  async close(): Promise<void> {
    this.#closed.abort(new Fault("aborted", "The embedder was closed."));
    await (await this.#encoder?.catch(() => undefined))?.close();
  }

  /** Opens once; what failed is tried again by the next call. */
  #open(): Promise<TokenEncoder> {
    const { file, folder } = this.#options;
    this.#encoder ??= TokenEncoder.open(
      isAbsolute(file) ? file : resolve(folder, file),
      this.#closed.signal,
    ).catch((error: unknown) => {
      this.#encoder = undefined;
      if (!(error instanceof Fault) || error.code === "aborted") throw error;
      const { message, cause } = error;
      throw new Fault("config.invalid", `\`tokenizer_file\` cannot be used. ${message}`, { cause });
    });
    return this.#encoder;
  }
}
