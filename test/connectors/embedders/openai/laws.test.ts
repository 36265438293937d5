import { describe, it } from "vitest";
import type { Embedder } from "../../../../src/contracts/index.ts";
import { embedderLaws, type WrongAnswer } from "../../../../src/testkit/embedder-laws.ts";
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

async function place(
  context: LawContext,
): Promise<{ server: EmbeddingServer; embedder: Embedder }> {
  const server = await startEmbeddingServer({
    dimension: 16,
    behaviour: ({ texts }) => (texts.includes(tooLongText) ? refuseLong : undefined),
  });
  context.defer(() => server.close());
  return { server, embedder: embedderFor(server.url, { query_instruction: "query: " }) };
}

const laws = embedderLaws({
  tooLongText,
  embedder: async (context) => (await place(context)).embedder,
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
