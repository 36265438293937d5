import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readBody, sendJson, sendStatus } from "../../../../src/testkit/embedding-responses.ts";
import { stubVector } from "../../../../src/testkit/embedding-vector.ts";

export type EmbeddingProduct = "sglang" | "vllm" | "tei" | "ollama" | "llama.cpp" | "infinity";

export interface ProductOptions {
  readonly product: EmbeddingProduct;
  readonly version?: string;
  readonly model?: string;
  /** Names the vectors: another seed gives those of another model. */
  readonly seed?: string;
  /** The length of the vectors; 16 when left out. */
  readonly native?: number;
  /** The model's context in tokens (words); 64 when left out. */
  readonly context?: number;
  /** Tokens of a word, in a vocabulary of its own; 1 when left out. */
  readonly tokensPerWord?: number;
  /** llama.cpp's `-ub`, which bounds texts where the pooling is not of the last token. */
  readonly physicalBatch?: number;
  /** The model that llama.cpp has loaded, when that is another than `model`. */
  readonly loaded?: string;
  /** The tokenizer composes letters and their marks, or reads them as they stand; it does when left out. */
  readonly composesItself?: boolean;
  /** To so many requests of any kind it answers that it is loading its model. */
  readonly loadingRequests?: number;
  /** The end token is appended, as it should be; on when left out. */
  readonly endToken?: boolean;
  /** TEI's `--max-client-batch-size` and `--max-concurrent-requests`. */
  readonly maxTexts?: number;
  readonly permits?: number;
  /** SGLang's `--allow-auto-truncate` and TEI's `--auto-truncate`. */
  readonly autoTruncate?: boolean;
  /** Prefixes of vectors may be asked for (`is_matryoshka`). */
  readonly matryoshka?: boolean;
  /** Milliseconds until vectors are sent. */
  readonly latencyMs?: number;
}

export interface ProductServer {
  /** The API's address, ending in `/v1`. */
  readonly url: string;
  /** Requests for vectors, and the most texts that were under way at once. */
  readonly requests: number;
  readonly mostTexts: number;
  /** Texts that were cut in silence. */
  readonly cut: number;
  /** The paths asked besides `embeddings`. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** A small server that answers as a product does, limits and quirks included. One token is one word. */
export async function startProductServer(options: ProductOptions): Promise<ProductServer> {
  const fake = new FakeProduct(options);
  const server = createServer((request, response) => {
    fake.handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // Bound to a port, never to a pipe.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    get requests() {
      return fake.requests;
    },
    get mostTexts() {
      return fake.mostTexts;
    },
    get cut() {
      return fake.cut;
    },
    asked: fake.asked,
    close: async () => {
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

interface VectorRequest {
  readonly input: readonly unknown[];
  readonly model: string;
  readonly encoding_format?: string;
  readonly dimensions?: number;
}

interface Refusal {
  readonly status: number;
  readonly message: string;
}

class FakeProduct {
  requests = 0;
  mostTexts = 0;
  cut = 0;
  readonly asked: string[] = [];
  readonly #options: ProductOptions;
  readonly #native: number;
  readonly #context: number;
  #loading: number;
  #texts = 0;

  constructor(options: ProductOptions) {
    this.#options = options;
    this.#native = options.native ?? 16;
    this.#context = options.context ?? 64;
    this.#loading = options.loadingRequests ?? 0;
  }

  async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#loading > 0) {
      this.#loading -= 1;
      const error = { message: "Loading model", type: "unavailable_error", code: 503 };
      sendStatus(response, { status: 503, body: JSON.stringify({ error }) });
      return;
    }
    if (message.method === "POST" && message.url === "/v1/embeddings") {
      return this.#embed(JSON.parse(await readBody(message)) as VectorRequest, response);
    }
    const path = message.url ?? "";
    this.asked.push(path);
    const told = message.method === "GET" ? this.#about()[path] : undefined;
    if (told === undefined) sendStatus(response, { status: 404, body: '{"detail":"Not Found"}' });
    else sendJson(response, told);
  }

  /** What the product tells of itself, by path. */
  #about(): Readonly<Record<string, object>> {
    const { product, version = "1.0.0", autoTruncate = false } = this.#options;
    const context = this.#context;
    const id = this.#options.model ?? "stub-model";
    const models = (owner: string, more: object = {}): Record<string, object> => ({
      "/v1/models": { object: "list", data: [{ id, object: "model", owned_by: owner, ...more }] },
    });
    switch (product) {
      case "vllm":
        return { ...models("vllm", { max_model_len: context }), "/version": { version } };
      case "sglang":
        return {
          ...models("sglang", { max_model_len: context }),
          "/get_server_info": { version, allow_auto_truncate: autoTruncate },
        };
      case "tei": {
        const { maxTexts = 32, permits = 512 } = this.#options;
        return {
          "/info": {
            model_id: id,
            version,
            max_input_length: context,
            max_batch_tokens: 16_384,
            max_client_batch_size: maxTexts,
            max_concurrent_requests: permits,
            auto_truncate: this.#options.autoTruncate ?? true,
          },
        };
      }
      case "ollama":
        return {
          ...models("library"),
          "/api/version": { version },
          "/api/ps": {
            models: this.requests === 0 ? [] : [{ name: id, context_length: context }],
          },
        };
      case "llama.cpp": {
        const { loaded = id } = this.#options;
        const settings = { default_generation_settings: { n_ctx: context } };
        const model = { model_alias: loaded, model_path: loaded };
        return {
          "/v1/models": {
            object: "list",
            data: [{ id: loaded, object: "model", owned_by: "llamacpp" }],
          },
          "/props": { build_info: version, ...settings, ...model },
        };
      }
      case "infinity":
        return models("infinity");
    }
  }

  async #embed(request: VectorRequest, response: ServerResponse): Promise<void> {
    const texts = request.input.map(String);
    this.requests += 1;
    this.#texts += texts.length;
    this.mostTexts = Math.max(this.mostTexts, this.#texts);
    try {
      await new Promise((resolve) => setTimeout(resolve, this.#options.latencyMs ?? 0));
      const refusal = this.#refuse(request, texts);
      if (refusal === undefined) this.#answer(request, texts, response);
      else {
        const { status, message } = refusal;
        sendStatus(response, {
          status,
          body: JSON.stringify({ error: { message, code: status } }),
        });
      }
    } finally {
      this.#texts -= texts.length;
    }
  }

  #refuse(request: VectorRequest, texts: readonly string[]): Refusal | undefined {
    const { product, maxTexts = 32, permits = 512, autoTruncate = false } = this.#options;
    const tokens = Math.max(...texts.map((text) => this.#tokens(text)));
    const { dimensions } = request;
    const context = this.#context;
    if (product === "tei" && texts.length > maxTexts) {
      const message = `batch size ${texts.length} > maximum allowed batch size ${maxTexts}`;
      return { status: 422, message };
    }
    if (product === "tei" && this.#texts > permits) {
      return { status: 429, message: "Model is overloaded" };
    }
    if (product === "tei" && tokens > context && this.#options.autoTruncate === false) {
      const message = `\`inputs\` must have less than ${context} tokens. Given: ${tokens}`;
      return { status: 413, message };
    }
    if (product === "vllm" && tokens > context) {
      const message = `This model's maximum context length is ${context} tokens.`;
      return { status: 400, message };
    }
    if (product === "sglang" && tokens >= context && !autoTruncate) {
      const message = `The input (${tokens} tokens) is longer than the model's context length (${context} tokens).`;
      return { status: 400, message };
    }
    const { physicalBatch = Infinity } = this.#options;
    if (product === "llama.cpp" && tokens > physicalBatch) {
      const message =
        `input (${tokens} tokens) is too large to process. increase the physical batch size ` +
        `(current batch size: ${physicalBatch})`;
      return { status: 500, message };
    }
    if (product === "llama.cpp" && tokens >= context) {
      const message =
        `request (${tokens} tokens) exceeds the available context size (${context} tokens), ` +
        "try increasing it";
      return { status: 400, message };
    }
    const refusesDimensions = product === "vllm" || product === "sglang";
    if (dimensions !== undefined && refusesDimensions && this.#options.matryoshka !== true) {
      const message =
        `Model "${request.model}" does not support matryoshka representation, ` +
        "changing output dimensions will lead to poor results.";
      return { status: 400, message };
    }
    return undefined;
  }

  #answer(request: VectorRequest, texts: readonly string[], response: ServerResponse): void {
    // More than native is native, in silence: Ollama does so.
    const length = Math.min(request.dimensions ?? this.#native, this.#native);
    const base64 = request.encoding_format === "base64" && this.#options.product !== "sglang";
    const data = texts.map((text, index) => {
      const vector = this.#vector(text).slice(0, length);
      const embedding = base64 ? Buffer.from(vector.buffer).toString("base64") : [...vector];
      return { object: "embedding", index, embedding };
    });
    // Of a text that was cut, what is left of it is counted.
    const counts = texts.map((text) => Math.min(this.#tokens(text), this.#context));
    const tokens = counts.reduce((sum, count) => sum + count, 0);
    const usage = { prompt_tokens: tokens, total_tokens: tokens };
    sendJson(response, { object: "list", model: request.model, data, usage });
  }

  #vector(text: string): Float32Array {
    const read = this.#options.composesItself === false ? text : text.normalize("NFC");
    const words = wordsOf(read);
    const room = Math.floor((this.#context - 1) / this.#perWord);
    if (words.length > room) this.cut += 1;
    return stubVector(words.slice(0, room).join(" "), this.#native, this.#options.seed);
  }

  get #perWord(): number {
    return this.#options.tokensPerWord ?? 1;
  }

  #tokens(text: string): number {
    return wordsOf(text).length * this.#perWord + (this.#options.endToken === false ? 0 : 1);
  }
}

function wordsOf(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
