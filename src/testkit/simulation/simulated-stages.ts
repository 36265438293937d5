import { createHash } from "node:crypto";
import type {
  Chunker,
  Embedder,
  Parser,
  StateSession,
  StateStore,
  Tokenizer,
} from "../../contracts/index.ts";
import { Fault } from "../../faults/index.ts";
import type { MemoryStateStore } from "../../state/index.ts";
import type { SimulatedProcess } from "./process.ts";
import { poison } from "./world.ts";

export const nativeDimension = 8;

/** Each line a block. */
export const lineParser: Parser = {
  mediaTypes: ["text/plain"],
  async *parse(_document, content) {
    let text = "";
    for await (const bytes of content) text += new TextDecoder().decode(bytes);
    for (const line of text.split("\n")) {
      if (line === "") continue;
      yield { kind: "block", block: { kind: "paragraph", text: line, headings: [] } };
    }
  },
  async close() {},
};

/** Each block a chunk. */
export const blockChunker: Chunker = {
  async *chunk(blocks) {
    for await (const { text, headings } of blocks) {
      yield { text, headings, tokens: 1, repeated: 0, context: "" };
    }
  },
  async close() {},
};

const tokenizer: Tokenizer = {
  id: "one",
  exact: true,
  countBatch: async (texts) => texts.map(() => 1),
  pieces: async (texts) =>
    texts.map((text) => ({ ends: Uint32Array.of(text.length), counts: Uint32Array.of(1) })),
};

const vectors = new Map<string, Float32Array>();

/** A vector that depends on nothing but the text. */
export function vectorOf(text: string): Float32Array {
  const known = vectors.get(text);
  if (known !== undefined) return known;
  const bytes = createHash("sha256").update(text).digest();
  const vector = Float32Array.from({ length: nativeDimension }, (_, index) => bytes[index] ?? 0);
  vectors.set(text, vector);
  return vector;
}

export function simulatedEmbedder(process: SimulatedProcess): Embedder {
  const dimensions = { native: nativeDimension, min: 2, matryoshka: true };
  return {
    tokenizer,
    limits: { textsPerCall: 4, tokensPerCall: 100, concurrentCalls: 2 },
    async open() {
      await process.pause();
      const prompts = { document: "", query: "" };
      return { id: "simulated", dimensions, contextTokens: 100, prompts };
    },
    async embed(texts) {
      return process.call("embed.unreachable", () => {
        if (texts.includes(poison)) throw new Fault("embed.rejected", "A text was refused.");
        return { vectors: texts.map((text) => vectorOf(text).slice()) };
      });
    },
    async check() {},
    async close() {},
  };
}

/** A state store whose process may die before or after any commit. */
export function simulatedState(store: MemoryStateStore, process: SimulatedProcess): StateStore {
  return {
    address: store.address,
    open: (async (options: { pipeline: string; mode: "write" }, signal: AbortSignal) => {
      const session = await store.open(options, signal);
      return dying(session, process);
    }) as StateStore["open"],
    isHeld: () => store.isHeld(),
    async close() {},
  };
}

function dying(session: StateSession, process: SimulatedProcess): StateSession {
  const alive = <T>(promise: Promise<T>): Promise<T> =>
    process.dead
      ? process.hang<T>()
      : promise.then((value) => (process.dead ? process.hang<T>() : value));
  return {
    stateId: session.stateId,
    fence: session.fence,
    lost: new AbortController().signal,
    lookup: (keys) => alive(session.lookup(keys)),
    async commit(mutations, options) {
      if (process.dead || process.dies()) return process.hang();
      await session.commit(mutations, options);
      if (process.dies()) return process.hang();
      await process.pause();
    },
    async *pages(query) {
      for await (const page of session.pages(query)) {
        if (process.dead) await process.hang();
        yield page;
      }
    },
    count: (query) => alive(session.count(query)),
    sources: () => alive(session.sources()),
    targets: () => alive(session.targets()),
    deletionsSince: (source, at) => alive(session.deletionsSince(source, at)),
    runs: (limit) => alive(session.runs(limit)),
    value: (key) => alive(session.value(key)),
    close: () => (process.dead ? process.hang() : session.close()),
  };
}
