import { describe, it } from "vitest";
import type { Embedder } from "../../../../src/contracts/index.ts";
import type { WrongAnswer } from "../../../../src/testkit/embedder-harness.ts";
import { embedderLaws } from "../../../../src/testkit/embedder-laws.ts";
import type { EmbeddingBehaviour } from "../../../../src/testkit/embedding-behaviour.ts";
import type { LawContext } from "../../../../src/testkit/law.ts";
import { registerLaws } from "../../../../src/testkit/run-laws.ts";
import {
  type EmbeddingServer,
  startEmbeddingServer,
} from "../../../../src/testkit/embedding-server.ts";
import { embedderFor } from "./harness.ts";

const wrongAnswers: Record<WrongAnswer, EmbeddingBehaviour> = {
  fewer: { kind: "too-few" },
  more: { kind: "too-many" },
  short: { kind: "wrong-length", dimension: 15 },
  long: { kind: "wrong-length", dimension: 17 },
  "one-short": { kind: "wrong-length", dimension: 15, only: 1 },
  nan: { kind: "not-finite", number: "NaN" },
  infinite: { kind: "not-finite", number: "base64" },
  zero: { kind: "zero" },
  garbage: { kind: "html" },
};

const tooLongText = "long ".repeat(1_000);
const refuseLong: EmbeddingBehaviour = {
  kind: "status",
  status: 400,
  body: '{"message":"The input (1000 tokens) is longer than the model\'s context length (512 tokens)."}',
};

/** The stand-in's tokens of a part: three quarters of what two special tokens leave of the context. */
const partTokens = Math.floor((200 - 2) * 0.75);

async function place(
  context: LawContext,
  more: Record<string, unknown> = {},
): Promise<{ server: EmbeddingServer; embedder: Embedder }> {
  const server = await startEmbeddingServer({
    dimension: 16,
    behaviour: ({ texts }) => (texts.includes(tooLongText) ? refuseLong : undefined),
  });
  context.defer(() => server.close());
  return { server, embedder: embedderFor(server.url, { query_instruction: "query: ", ...more }) };
}

const laws = embedderLaws({
  tooLongText,
  embedder: async (context) => (await place(context)).embedder,
  inParts: {
    embedder: async (context) =>
      (await place(context, { oversize: "split", context_tokens: 200 })).embedder,
    text: Array.from({ length: 100 }, (_, index) => `Sentence ${index} of many.`).join(" "),
    partTokens,
  },
  wrong: async (context, answer) => {
    const { server, embedder } = await place(context);
    await embedder.open(context.signal);
    server.behave(wrongAnswers[answer]);
    return embedder;
  },
  unreachable: async (context) => {
    const { server, embedder } = await place(context);
    await server.close();
    return embedder;
  },
  silent: async (context) => {
    const { server, embedder } = await place(context);
    await embedder.open(context.signal);
    server.behave({ kind: "hang" });
    return embedder;
  },
});

registerLaws(laws, { describe, it }, { title: "openai embedder keeps the laws: it" });
