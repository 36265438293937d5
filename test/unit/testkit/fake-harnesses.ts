import type {
  Chunker,
  Embedder,
  EmbeddingCache,
  Parser,
  Sink,
  Source,
  StateSession,
  StateStore,
  Tokenizer,
} from "../../../src/contracts/index.ts";
import { memoryStateStore, type MemoryStateStore } from "../../../src/state/index.ts";
import {
  createFakeCache,
  createFakeChunker,
  createFakeEmbedder,
  createFakeParser,
  createFakeSink,
  createFakeSource,
  createFakeStore,
  createFakeTokenizer,
  FakeFolder,
  type CacheHarness,
  type CachePlace,
  type ChunkerHarness,
  type EmbedderHarness,
  type FakeCacheFile,
  type FakeStore,
  type ParserHarness,
  type SinkHarness,
  type SinkPlace,
  type SourceHarness,
  type SourcePlace,
  type StateHarness,
  type StatePlace,
  type TokenizerHarness,
  type WrongAnswer,
} from "../../../src/testkit/index.ts";

/** Wraps a component in a defect; the fakes themselves have none. */
export type Mutate<Component, Behind = unknown> = (
  component: Component,
  behind: Behind,
) => Component;

export interface FakeSinkPlace extends SinkPlace {
  readonly store: FakeStore;
}

export function fakeSinkHarness(
  mutate: Mutate<Sink, FakeStore> = (sink) => sink,
): SinkHarness<FakeSinkPlace> {
  return {
    place: async () => {
      const store = createFakeStore();
      return { store, connect: async () => mutate(createFakeSink(store), store) };
    },
    reopen: async () => {},
    drop: async ({ store }) => void (store.collection = undefined),
    reject: async ({ store }, ids) => ids.forEach((id) => store.rejectedIds.add(id)),
    disconnect: async ({ store }) => void (store.unreachable = true),
    notSupported: { foreign: "The fake store holds only what fake sinks made." },
  };
}

export interface FakeSourcePlace extends SourcePlace {
  readonly folder: FakeFolder;
}

export function fakeSourceHarness(
  mutate: Mutate<Source, FakeFolder> = (source) => source,
): SourceHarness<FakeSourcePlace> {
  return {
    place: async () => {
      const folder = new FakeFolder();
      return {
        folder,
        source: async () => mutate(createFakeSource(folder), folder),
        put: async (name, text) => {
          folder.put(name, text);
          return name;
        },
        remove: async (name) => folder.remove(name),
      };
    },
    hideFolder: async ({ folder }, name) => {
      folder.unreadable.add(`${name}/`);
      return `${name}/`;
    },
    disconnect: async ({ folder }) => void (folder.unreachable = true),
    follows: true,
    checkpointAfter: 10,
  };
}

const page = `title: The guide

# Install

First paragraph, über 日本 🙂.

## On Windows

Second paragraph
of two lines.

# Use

Last paragraph without an end`;

export function fakeParserHarness(mutate: Mutate<Parser> = (parser) => parser): ParserHarness {
  const sample = { mediaType: "text/x-fake" };
  return {
    parser: async () => mutate(createFakeParser(), undefined),
    samples: [
      {
        ...sample,
        name: "a page",
        bytes: bytesOf(page),
        texts: ["Install", "First", "🙂", "On Windows", "of two lines", "Use", "without an end"],
        headings: ["Install", "On Windows", "Use"],
        title: "The guide",
      },
      { ...sample, name: "a line", bytes: bytesOf("Only this."), texts: ["Only this."] },
    ],
    empty: [
      { ...sample, name: "nothing", bytes: bytesOf("") },
      { ...sample, name: "white space", bytes: bytesOf(" \n\n \n") },
    ],
    malformed: [
      { ...sample, name: "invalid UTF-8", bytes: Uint8Array.of(0x41, 0xff, 0xfe, 0x42) },
      { ...sample, name: "a NUL", bytes: bytesOf("a\0b") },
    ],
  };
}

export function fakeChunkerHarness(mutate: Mutate<Chunker> = (chunker) => chunker): ChunkerHarness {
  return {
    chunker: async () => mutate(createFakeChunker({ maxTokens: 100 }), undefined),
    maxTokens: 100,
    windowBlocks: 50,
  };
}

export function fakeTokenizerHarness(
  mutate: Mutate<Tokenizer> = (tokenizer) => tokenizer,
): TokenizerHarness {
  return { tokenizer: async () => mutate(createFakeTokenizer(), undefined) };
}

export function fakeEmbedderHarness(
  mutate: Mutate<Embedder> = (embedder) => embedder,
): EmbedderHarness {
  return {
    embedder: async () => mutate(createFakeEmbedder(), undefined),
    wrong: async (_context, answer) =>
      mutate(
        createFakeEmbedder({ answer: async (_texts, honest) => spoil(honest, answer) }),
        undefined,
      ),
    silent: async () =>
      mutate(createFakeEmbedder({ answer: (_texts, _honest, signal) => never(signal) }), undefined),
    tooLongText: "word ".repeat(600),
    inParts: {
      embedder: async () =>
        mutate(createFakeEmbedder({ contextTokens: 100, inParts: true }), undefined),
      text: Array.from({ length: 250 }, (_, index) => `w${index}`).join(" "),
      partTokens: 100,
    },
    notSupported: { unreachable: "The fake embedder has no far end that could be gone." },
  };
}

function spoil(honest: readonly Float32Array[], answer: WrongAnswer): readonly Float32Array[] {
  const [first = new Float32Array(1), ...others] = honest;
  const damaged = Float32Array.from(first);
  if (answer === "fewer") return others;
  if (answer === "more") return [...honest, first];
  if (answer === "short") return honest.map((vector) => vector.slice(1));
  if (answer === "long") return honest.map((vector) => Float32Array.of(...vector, 0.5));
  if (answer === "one-short") return [first.slice(1), ...others];
  if (answer === "zero") return [new Float32Array(first.length), ...others];
  if (answer === "garbage") return [];
  damaged[2] = answer === "nan" ? NaN : Infinity;
  return [damaged, ...others];
}

function never(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}

export interface FakeStatePlace extends StatePlace {
  readonly memory: MemoryStateStore;
}

/** The memory store under the laws; the kit has no state of its own. */
export function memoryStateHarness(
  mutate: Mutate<StateSession, FakeStatePlace> = (session) => session,
  mutateStore: Mutate<StateStore, FakeStatePlace> = (store) => store,
): StateHarness<FakeStatePlace> {
  return {
    place: async () => {
      const memory = memoryStateStore();
      const place: FakeStatePlace = {
        memory,
        store: async () =>
          mutateStore(
            mutatedStore(memory, (session) => mutate(session, place)),
            place,
          ),
      };
      return place;
    },
    crash: async ({ memory }) => memory.crash(),
    losePower: async ({ memory }) => memory.crash({ losePower: true }),
    notSupported: {
      damage: "There is no file that could be damaged.",
      foreign: "There is no file that something else could have made.",
    },
  };
}

function mutatedStore(
  store: StateStore,
  mutate: (session: StateSession) => StateSession,
): StateStore {
  async function open(
    options: Parameters<StateStore["open"]>[0],
    signal: AbortSignal,
  ): Promise<StateSession | undefined> {
    const session = await (
      store.open as (...given: [object, AbortSignal]) => Promise<StateSession | undefined>
    )(options, signal);
    return session === undefined ? undefined : mutate(session);
  }
  return {
    address: store.address,
    open: open as StateStore["open"],
    isHeld: () => store.isHeld(),
    close: () => store.close(),
  };
}

export interface FakeCachePlace extends CachePlace {
  readonly file: FakeCacheFile;
}

export function fakeCacheHarness(
  mutate: Mutate<EmbeddingCache, FakeCacheFile> = (cache) => cache,
): CacheHarness<FakeCachePlace> {
  const maxBytes = 256 * 1024;
  return {
    maxBytes,
    place: async () => {
      const file: FakeCacheFile = new Map();
      return { file, open: async () => mutate(createFakeCache({ file, maxBytes }), file) };
    },
    crash: async () => {},
    tamper: async ({ file }, key, bytes) => void file.set(key, bytes),
  };
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
