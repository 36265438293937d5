import { describe, it } from "vitest";
import {
  cacheLaws,
  chunkerLaws,
  embedderLaws,
  parserLaws,
  registerLaws,
  sinkLaws,
  sourceLaws,
  stateStoreLaws,
  tokenizerLaws,
} from "../../../src/testkit/index.ts";
import {
  fakeCacheHarness,
  fakeChunkerHarness,
  fakeEmbedderHarness,
  fakeParserHarness,
  fakeSinkHarness,
  fakeSourceHarness,
  fakeTokenizerHarness,
  memoryStateHarness,
} from "./fake-harnesses.ts";

const runner = { describe, it };

registerLaws(sinkLaws(fakeSinkHarness()), runner, { title: "the fake sink" });
registerLaws(sourceLaws(fakeSourceHarness()), runner, { title: "the fake source" });
registerLaws(parserLaws(fakeParserHarness()), runner, { title: "the fake parser" });
registerLaws(chunkerLaws(fakeChunkerHarness()), runner, { title: "the fake chunker" });
registerLaws(tokenizerLaws(fakeTokenizerHarness()), runner, { title: "the fake tokenizer" });
registerLaws(embedderLaws(fakeEmbedderHarness()), runner, { title: "the fake embedder" });
registerLaws(cacheLaws(fakeCacheHarness()), runner, { title: "the fake cache" });
registerLaws(stateStoreLaws(memoryStateHarness()), runner, { title: "the memory state" });
