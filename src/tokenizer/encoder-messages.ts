import type { BytePairModel } from "./byte-pair-model.ts";
import type { SpecialTokens } from "./special-tokens.ts";

/** What the worker knows of a `tokenizer.json` once it has read it. */
export interface TokenizerFacts {
  /** Names the file's content. */
  readonly id: string;
  /** For counting; absent when the tokenizer is of another kind than the project's own code reads. */
  readonly model?: BytePairModel;
  /** What the post-processor adds; absent when there is none. */
  readonly special?: SpecialTokens;
  /** `<|endoftext|>`, where the vocabulary has it. */
  readonly endOfText?: number;
  readonly largestId: number;
}

export type FromEncoder =
  | { readonly kind: "ready"; readonly facts: TokenizerFacts }
  | { readonly kind: "unreadable"; readonly reason: string }
  | {
      readonly kind: "encoded";
      readonly call: number;
      /** The ids of all texts, one after the other. */
      readonly ids: Int32Array<ArrayBuffer>;
      readonly lengths: Int32Array<ArrayBuffer>;
    };

export interface ToEncoder {
  readonly call: number;
  readonly texts: readonly string[];
}
