import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { openaiEmbedder } from "../../../../connectors/embedders/openai/index.ts";
import type { Embedder } from "../../../../src/contracts/index.ts";
import { systemClock } from "../../../../src/flow/index.ts";

export interface Served {
  readonly vectors: readonly (readonly number[] | Float32Array)[];
  /** Left out when the server tells no tokens. */
  readonly tokens?: number;
}

export interface ServedEmbedder extends AsyncDisposable {
  readonly url: string;
  readonly embedder: Embedder;
}

/** An embedding server on loopback that answers with these vectors, or refuses where there are none, and the embedder `openai` in front of it. */
export async function serveVectors(
  answer: (texts: readonly string[], dimensions: number | undefined) => Served | undefined,
  config: Readonly<Record<string, unknown>>,
): Promise<ServedEmbedder> {
  const server = createServer((message, response) => {
    const parts: Buffer[] = [];
    message.on("data", (part: Buffer) => parts.push(part));
    message.on("end", () => {
      if (message.method !== "POST" || message.url !== "/v1/embeddings") {
        response.writeHead(404).end("{}");
        return;
      }
      const asked = JSON.parse(Buffer.concat(parts).toString()) as {
        readonly input: string | readonly string[];
        readonly dimensions?: number;
      };
      const texts = typeof asked.input === "string" ? [asked.input] : asked.input;
      const served = answer(texts, asked.dimensions);
      if (served === undefined) {
        response.writeHead(400).end("{}");
        return;
      }
      const { vectors, tokens } = served;
      const data = vectors.map((vector, index) => ({ index, embedding: [...vector] }));
      const usage = tokens === undefined ? undefined : { prompt_tokens: tokens };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ data, usage }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const context = {
    name: "embedder",
    pipeline: "test",
    folder: ".",
    clock: systemClock,
    fields: {},
  };
  const parsed = openaiEmbedder.config.parse({ url, ...config });
  const embedder = openaiEmbedder.create(parsed, context);
  return {
    url,
    embedder,
    async [Symbol.asyncDispose]() {
      await embedder.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
