import { createHash } from "node:crypto";
import type {
  Chunker,
  ComponentNote,
  Embedder,
  EmbedderLimits,
  Embeddings,
  EmbeddingModel,
  Parser,
  Tokenizer,
} from "../../../../src/contracts/index.ts";
import { probeTexts } from "../../../../src/engine/space.ts";
import { Fault } from "../../../../src/faults/index.ts";
import { Gauge } from "./gauge.ts";

/** Each line is a block; a first line `{…}` is metadata, a line `!malformed` cannot be read. */
export function lineParser(): Parser {
  return {
    mediaTypes: ["text/plain"],
    async *parse(document, content) {
      const decoder = new TextDecoder();
      let text = "";
      for await (const bytes of content) text += decoder.decode(bytes, { stream: true });
      for (const [index, line] of text.split("\n").entries()) {
        if (line === "") continue;
        if (line === "!malformed") {
          throw new Fault("parse.malformed", `\`${document.id}\` is malformed.`);
        }
        if (index === 0 && line.startsWith("{")) {
          yield { kind: "properties", properties: { metadata: JSON.parse(line) } };
        } else yield { kind: "block", block: { kind: "paragraph", text: line, headings: [] } };
      }
    },
    async close() {},
  };
}

/** Each block is a chunk; its tokens are its words. */
export function lineChunker(maxTokens?: number): Chunker {
  return {
    ...(maxTokens === undefined ? {} : { maxTokens }),
    async *chunk(blocks) {
      for await (const { text, headings } of blocks) {
        yield { text, headings, tokens: wordsIn(text), repeated: 0, context: "" };
      }
    },
    async close() {},
  };
}

export function wordsIn(text: string): number {
  return text.split(" ").length;
}

const tokenizer: Tokenizer = {
  id: "words",
  exact: true,
  countBatch: async (texts) => texts.map(wordsIn),
  pieces: async () => [],
};

/** A vector that depends on the text and the model's weights only. */
export function vectorOf(text: string, native = 8, weights = ""): Float32Array {
  const bytes = createHash("sha512").update(`${weights}${text}`).digest();
  // Signed, so that two texts are not near each other by chance; never zero.
  return Float32Array.from({ length: native }, (_, index) => (bytes[index] ?? 0) - 127.5);
}

/** An embedder that checks nothing itself, and counts what is asked of it. */
export class RigEmbedder implements Embedder {
  tokenizer = tokenizer;
  limits: EmbedderLimits = { textsPerCall: 8, tokensPerCall: 1000, concurrentCalls: 2 };
  said: readonly ComponentNote[] = [];
  parts?: NonNullable<Embedder["parts"]>;
  model: EmbeddingModel = {
    id: "rig",
    dimensions: { native: 8, min: 2, matryoshka: true },
    contextTokens: 1000,
    prompts: { document: "", query: "" },
  };
  /** What the model has learned: other weights give other vectors under the same name. */
  weights = "";
  /** Document texts embedded, without the probe. */
  readonly texts: string[] = [];
  readonly calls: (readonly string[])[] = [];
  readonly calling = new Gauge();
  readonly tokens = new Gauge();
  notes(): readonly ComponentNote[] {
    return this.said;
  }

  /** Runs before the answer; may throw or hang. */
  before: (texts: readonly string[], signal: AbortSignal) => Promise<void> = async () => {};
  /** Changes the answer to document texts. */
  answer: (honest: readonly Float32Array[], texts: readonly string[]) => readonly Float32Array[] = (
    honest,
  ) => honest;

  async open(): Promise<EmbeddingModel> {
    return this.model;
  }

  async embed(
    texts: readonly string[],
    purpose: "document" | "query",
    signal: AbortSignal,
  ): Promise<Embeddings> {
    const { native } = this.model.dimensions;
    const honest = texts.map((text) => vectorOf(text, native, this.weights));
    if (texts[0] === probeTexts[0] || purpose === "query") return { vectors: honest };
    this.texts.push(...texts);
    this.calls.push(texts);
    const leave = [
      this.calling.enter(),
      this.tokens.enter(texts.reduce((sum, text) => sum + wordsIn(text), 0)),
    ];
    try {
      await this.before(texts, signal);
    } finally {
      for (const each of leave) each();
    }
    return { vectors: this.answer(honest, texts) };
  }

  async check(): Promise<void> {}

  async close(): Promise<void> {}
}
