import type { Embedder } from "../contracts/index.ts";
import type { LawContext, LawHarness } from "./law.ts";

/** How the far end of an embedder may answer wrongly to a call of several texts. */
export type WrongAnswer =
  | "fewer"
  | "more"
  | "short"
  | "long"
  | "one-short"
  | "nan"
  | "infinite"
  | "zero"
  | "garbage";

/** How the laws make an embedder and break its far end. */
export interface EmbedderHarness extends LawHarness {
  /** An embedder that is ready to be opened. The harness closes it when the law is over. */
  embedder(context: LawContext): Promise<Embedder>;
  /** An embedder whose far end gives this wrong answer to every call after it was opened. */
  wrong?(context: LawContext, answer: WrongAnswer): Promise<Embedder>;
  /** An embedder whose far end cannot be reached. */
  unreachable?(context: LawContext): Promise<Embedder>;
  /** An embedder whose far end accepts calls after it was opened, and never answers. */
  silent?(context: LawContext): Promise<Embedder>;
  /** A text that is longer than the model's context. */
  readonly tooLongText?: string;
  /** The same model, where texts that are too long are embedded in parts. */
  readonly inParts?: {
    embedder(context: LawContext): Promise<Embedder>;
    /** A text of several parts. */
    readonly text: string;
    /** The most tokens of a part, without special tokens and instruction. */
    readonly partTokens: number;
  };
  /** How many texts a law may put in one call to try its limit; 64 when left out. */
  readonly largestCall?: number;
}
