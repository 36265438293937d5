/**
 * The published kit for connectors: what every kind of component promises, as laws that a connector's own tests run,
 * and fakes that keep them.
 */
export type { Law, LawContext, LawHarness, Waivers } from "./law.ts";
export { brokenLaws, registerLaws, runLaw } from "./run-laws.ts";
export type { BrokenLaw, RegisterOptions, TestRunner } from "./run-laws.ts";
export { sinkLaws } from "./sink-laws.ts";
export { lawFields, type SinkHarness, type SinkPlace } from "./sink-harness.ts";
export { sourceLaws } from "./source-laws.ts";
export type { SourceHarness, SourcePlace } from "./source-harness.ts";
export { parserLaws, type ParserHarness, type ParserSample } from "./parser-laws.ts";
export { chunkerLaws } from "./chunker-laws.ts";
export type { ChunkerHarness } from "./chunker-harness.ts";
export { tokenizerLaws, type TokenizerHarness } from "./tokenizer-laws.ts";
export { embedderLaws } from "./embedder-laws.ts";
export type { EmbedderHarness, WrongAnswer } from "./embedder-harness.ts";
export { stateStoreLaws } from "./state-laws.ts";
export type { StateHarness, StatePlace } from "./state-harness.ts";
export { cacheLaws, type CacheHarness, type CachePlace } from "./cache-laws.ts";
export { createFakeCache, type FakeCacheFile, type FakeCacheOptions } from "./fakes/cache.ts";
export { createFakeChunker, type FakeChunkerOptions } from "./fakes/chunker.ts";
export { createFakeEmbedder, type FakeEmbedderOptions } from "./fakes/embedder.ts";
export { FakeFolder, type FakeDocument, type FolderChange } from "./fakes/folder.ts";
export { createFakeParser } from "./fakes/parser.ts";
export { createFakeSink, createFakeStore } from "./fakes/sink.ts";
export type { FakeCollection, FakeStore } from "./fakes/sink.ts";
export { createFakeSource, createScriptedSource } from "./fakes/source.ts";
export { createFakeTokenizer } from "./fakes/tokenizer.ts";
export { startPineconeEmulator } from "./pinecone/index.ts";
export type {
  PineconeBehaviour,
  PineconeEmulator,
  PineconeEmulatorOptions,
  PineconeMetadata,
  PineconeMetadataValue,
  PineconeOperation,
  PineconeRecord,
  PineconeRequest,
  PineconeScript,
  PineconeSilence,
  PineconeSparseValues,
  PineconeStats,
} from "./pinecone/index.ts";
