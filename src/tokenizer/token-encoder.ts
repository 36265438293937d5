import { readFile } from "node:fs/promises";
import type { Tokenizer } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import { BytePairTokenizer } from "./byte-pair-tokenizer.ts";
import type { TokenizerFacts } from "./encoder-messages.ts";
import { EncoderThread } from "./encoder-thread.ts";
import { type NativeTokenizer, openNative } from "./native-tokenizer.ts";
import type { SpecialTokens } from "./special-tokens.ts";

/**
 * A model's own tokenizer, for counting and for ids. Files of Qwen's kind are read by the project's own code, ids in a
 * thread of their own; all others by the native package, which has its own threads.
 */
export class TokenEncoder {
  /** Counts as this model does. */
  readonly tokenizer: Tokenizer;
  /** What the tokenizer adds around every text; undefined when its file says nothing. */
  readonly special: SpecialTokens | undefined;
  /** The id of `<|endoftext|>`, where there is one. */
  readonly endOfText: number | undefined;
  readonly largestId: number;
  readonly #path: string;
  readonly #native: NativeTokenizer | undefined;
  #thread: Promise<EncoderThread> | undefined;
  readonly #closed = new AbortController();

  private constructor(
    path: string,
    facts: TokenizerFacts,
    backing: { readonly thread: EncoderThread } | { readonly native: NativeTokenizer },
  ) {
    this.#path = path;
    this.special = facts.special;
    this.endOfText = facts.endOfText;
    this.largestId = facts.largestId;
    const { model } = facts;
    if ("thread" in backing) this.#thread = Promise.resolve(backing.thread);
    this.#native = "native" in backing ? backing.native : undefined;
    this.tokenizer =
      this.#native ??
      new BytePairTokenizer(facts.id, async () => {
        if (model === undefined) throw new RangeError("A tokenizer of our own has a model.");
        return model;
      });
  }

  /** Reads a `tokenizer.json`. Rejects with `embed.model` when it is none. */
  static async open(path: string, signal: AbortSignal): Promise<TokenEncoder> {
    const { thread, facts } = await EncoderThread.start(path, signal);
    if (facts.model !== undefined) return new TokenEncoder(path, facts, { thread });
    await thread.close();
    const native = await openNative(facts.id, await readFile(path, "utf8"), path);
    return new TokenEncoder(path, facts, { native });
  }

  /** The ids of each text, without special tokens that the model adds. Rejects when the signal aborts. */
  async encode(texts: readonly string[], signal: AbortSignal): Promise<readonly Int32Array[]> {
    signal.throwIfAborted();
    if (this.#closed.signal.aborted) throw new Fault("aborted", "The tokenizer was closed.");
    if (this.#native !== undefined) return this.#native.encode(texts);
    return await (await this.#running()).encode(texts, signal);
  }

  /** Ends the thread. Never rejects; may be called twice. */
  async close(): Promise<void> {
    this.#closed.abort(new Fault("aborted", "The tokenizer was closed."));
    await (await this.#thread?.catch(() => undefined))?.close();
  }

  /** The thread, or another one when it has died. */
  async #running(): Promise<EncoderThread> {
    const before = this.#thread;
    const thread = await before?.catch(() => undefined);
    if (thread !== undefined && !thread.ended) return thread;
    if (this.#thread === before) this.#thread = this.#restart();
    return await (this.#thread ?? this.#restart());
  }

  async #restart(): Promise<EncoderThread> {
    const { thread, facts } = await EncoderThread.start(this.#path, this.#closed.signal);
    if (facts.id === this.tokenizer.id) return thread;
    await thread.close();
    throw new Fault(
      "embed.model",
      `The tokenizer \`${this.#path}\` was changed while it was in use. Run again.`,
    );
  }
}
