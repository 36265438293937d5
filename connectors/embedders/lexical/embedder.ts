import { setImmediate as nextTurn } from "node:timers/promises";
import type { Embedder, EmbeddingModel } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import type { LexicalConfig } from "./config.ts";
import { firstOctave } from "./term.ts";
import { Vectorizer } from "./vectorizer.ts";
import { wordPieces } from "./word-pieces.ts";

/** Raised whenever a text gets another vector than before. */
const modelRevision = "1";
/** There is no model that could overflow; this bounds the time of one text to about a second. */
const contextTokens = 1_000_000;
/** Work between two turns of the event loop: about 5 ms. */
const unitsPerTurn = 65_536;

/** Makes an embedder that matches words: no model, no network, no files. */
export function createLexicalEmbedder({ native_dimension: native }: LexicalConfig): Embedder {
  const vectorizer = new Vectorizer(native);
  const model: EmbeddingModel = {
    id: "sluice-lexical",
    revision: modelRevision,
    dimensions: { native, min: firstOctave, matryoshka: true },
    contextTokens,
    prompts: { document: "", query: "" },
  };
  let closed = false;
  return {
    tokenizer: wordPieces,
    // One core does the work: more texts or calls at once would only hold up everything else.
    limits: { textsPerCall: 64, tokensPerCall: 65_536, concurrentCalls: 1 },
    open: async (signal) => {
      signal.throwIfAborted();
      return model;
    },
    check: async (signal) => signal.throwIfAborted(),
    embed: async (texts, _purpose, signal) => {
      signal.throwIfAborted();
      if (closed) throw new Fault("aborted", "The embedder was closed.");
      const turn = async (): Promise<void> => {
        await nextTurn();
        signal.throwIfAborted();
      };
      const vectors: Float32Array[] = [];
      let units = 0;
      for (const text of texts) {
        vectors.push(await vectorizer.vectorize(text, turn));
        units += text.length;
        if (units < unitsPerTurn) continue;
        units = 0;
        await turn();
      }
      return { vectors };
    },
    close: async () => {
      closed = true;
    },
  };
}
