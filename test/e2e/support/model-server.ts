import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { Embedder } from "../../../src/contracts/index.ts";

/** An OpenAI-compatible server on a free loopback port that answers with a model's real vectors. */
export async function serveModel(embedder: Embedder): Promise<string> {
  const signal = new AbortController().signal;
  const server = createServer((request, response) => {
    answer(request).then(
      (text) => response.setHeader("content-type", "application/json").end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  async function answer(request: IncomingMessage): Promise<string> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { input, model } = JSON.parse(Buffer.concat(parts).toString("utf8")) as {
      readonly input: readonly string[];
      readonly model: string;
    };
    const { vectors, tokens } = await embedder.embed(input, "document", signal);
    const data = vectors.map((vector, index) => {
      const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
      return { object: "embedding", index, embedding: bytes.toString("base64") };
    });
    const usage = { prompt_tokens: tokens, total_tokens: tokens };
    return JSON.stringify({ object: "list", model, data, usage });
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}
