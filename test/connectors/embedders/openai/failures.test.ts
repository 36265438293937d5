import { describe, expect, it } from "vitest";
import type { EmbeddingScript } from "../../../../src/testkit/embedding-behaviour.ts";
import { embedderFor, faultOf, setUp, signal } from "./harness.ts";

const confidential = "the confidential text";
const two = [confidential, "another text"];

function error(status: number, message: string, retryAfter?: string): EmbeddingScript {
  // Many servers quote what they were sent.
  const body = JSON.stringify({ error: { message: `${message} Got: ${two.join(", ")}` } });
  return { kind: "status", status, body, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

const component = { scope: "component" };
const never = { retry: "never", ...component };
const later = { retry: "later", ...component };
const smaller = { retry: "smaller", scope: "document" };

/** What a server does, and the fault that two texts then get. Wordings are the servers' own. */
const table: readonly (readonly [string, EmbeddingScript, string, object])[] = [
  [
    "a refused key",
    error(401, "Incorrect API key provided: sk-secret"),
    "embed.unauthorized",
    never,
  ],
  ["a forbidden key", error(403, "no"), "embed.unauthorized", never],
  ["no such path", { kind: "status", status: 404 }, "embed.not-found", never],
  [
    "no such model (Ollama)",
    error(404, 'model "x" not found, try pulling it first'),
    "embed.not-found",
    never,
  ],
  ["no such model, as 400", error(400, "The model `x` does not exist."), "embed.not-found", never],
  [
    "a redirect",
    { kind: "status", status: 302, location: "http://127.0.0.1:1/" },
    "embed.not-found",
    never,
  ],
  [
    "too many requests",
    error(429, "slow down", "7"),
    "embed.rate-limited",
    { ...later, retryAfterMs: 7000 },
  ],
  ["overload (SGLang)", error(503, "The request queue is full."), "embed.rate-limited", later],
  [
    "a rate whose message points to billing",
    error(429, "Rate limit reached. Add a payment method at /account/billing"),
    "embed.rate-limited",
    later,
  ],
  ["a used-up quota", error(429, "You exceeded your current quota"), "embed.rate-limited", never],
  ["payment required", error(402, "no credits"), "embed.rate-limited", never],
  ["an inner failure", error(500, "CUDA out of memory"), "embed.failed", later],
  ["a bad gateway", { kind: "status", status: 502, body: "<html>" }, "embed.failed", later],
  ["an odd status", error(418, "teapot"), "embed.rejected", never],
  ["request timeout", error(408, ""), "embed.timeout", later],
  [
    "too long (vLLM)",
    error(
      400,
      "This model's maximum context length is 8192 tokens. However, you requested 9001 tokens in the input for embedding generation. Please reduce the length of the input.",
    ),
    "embed.too-long",
    smaller,
  ],
  [
    "too long (vLLM, newer)",
    error(400, "The decoder prompt (length 9001) is longer than the maximum model length of 8192."),
    "embed.too-long",
    smaller,
  ],
  [
    "too long (SGLang)",
    error(400, "The input (9001 tokens) is longer than the model's context length (8192 tokens)."),
    "embed.too-long",
    smaller,
  ],
  [
    "too long (TEI)",
    {
      kind: "status",
      status: 422,
      body: '{"error":"Input validation error: `inputs` must have less than 512 tokens. Given: 600","error_type":"Validation"}',
    },
    "embed.too-long",
    smaller,
  ],
  [
    "too long (llama.cpp)",
    error(
      500,
      "input (9001 tokens) is too large to process. increase the physical batch size (current batch size: 512)",
    ),
    "embed.too-long",
    smaller,
  ],
  [
    "too long (llama.cpp, newer)",
    {
      kind: "status",
      status: 400,
      body: '{"error":{"code":400,"message":"request (1202 tokens) exceeds the available context size (512 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":1202,"n_ctx":512}}',
    },
    "embed.too-long",
    smaller,
  ],
  [
    "too long (Ollama)",
    {
      kind: "status",
      status: 400,
      body: '{"error":"the input length exceeds the context length"}',
    },
    "embed.too-long",
    smaller,
  ],
  [
    "too long (OpenAI)",
    error(400, "Invalid 'input[0]': maximum input length is 8192 tokens."),
    "embed.too-long",
    smaller,
  ],
  [
    "too many texts (TEI)",
    {
      kind: "status",
      status: 422,
      body: '{"error":"batch size 33 > maximum allowed batch size 32","error_type":"Validation"}',
    },
    "embed.too-large",
    smaller,
  ],
  [
    "too large a body",
    { kind: "status", status: 413, body: "length limit exceeded" },
    "embed.too-large",
    smaller,
  ],
  [
    "an unnamed refusal",
    error(400, "Input cannot be empty or whitespace only"),
    "embed.rejected",
    smaller,
  ],
  ["a refusal without a body", { kind: "status", status: 422 }, "embed.rejected", smaller],
  [
    "an error behind status 200",
    { kind: "body", body: '{"error":{"code":429,"message":"slow"}}' },
    "embed.rate-limited",
    later,
  ],
  ["a web page", { kind: "html" }, "embed.invalid", never],
  ["something that is not JSON", { kind: "body", body: "OK" }, "embed.invalid", never],
  ["JSON of another kind", { kind: "body", body: '{"object":"list"}' }, "embed.invalid", never],
  ["JSON null", { kind: "body", body: "null" }, "embed.invalid", never],
  ["an empty body", { kind: "body", body: "" }, "embed.invalid", never],
  ["a connection closed in the middle", { kind: "cut-off" }, "embed.invalid", later],
  ["half an answer", { kind: "half" }, "embed.invalid", later],
  ["an answer without end", { kind: "endless" }, "embed.invalid", never],
  ["too few vectors", { kind: "too-few" }, "embed.invalid", never],
  ["too many vectors", { kind: "too-many" }, "embed.invalid", never],
  [
    "vectors of several lengths",
    { kind: "wrong-length", dimension: 7, only: 1 },
    "embed.invalid",
    never,
  ],
  ["NaN as such", { kind: "not-finite", number: "NaN" }, "embed.invalid", never],
  ["infinity in base64", { kind: "not-finite", number: "base64" }, "embed.invalid", never],
  ["NaN as null", { kind: "not-finite", number: "null" }, "embed.invalid", never],
  ["an index twice", { kind: "duplicate-index" }, "embed.invalid", never],
  ["no index", { kind: "no-index" }, "embed.invalid", never],
  ["all-zero vectors", { kind: "zero" }, "embed.zero", smaller],
  ["a reset connection", { kind: "reset" }, "embed.unreachable", later],
];

describe("openai embedder, when the server fails", () => {
  it.each(table)("tells %s by its code and advice", async (_, behaviour, code, expected) => {
    const { embedder } = await setUp({ behaviour }, { api_key: "sk-secret" });
    const fault = await faultOf(embedder.embed(two, "document", signal));
    expect({ ...fault, code: fault.code }).toMatchObject({ code, ...expected });
  });

  it.each(table)("makes one request and shows no text, key or body at %s", async (_, behaviour) => {
    const { embedder, server } = await setUp({ behaviour }, { api_key: "sk-secret" });
    const fault = await faultOf(embedder.embed(two, "document", signal));
    expect(server.stats().requests).toBe(1);
    const shown: string[] = [];
    for (let at: unknown = fault; at instanceof Error; at = at.cause) shown.push(at.message);
    expect(shown.join("\n")).not.toMatch(
      /confidential|another text|sk-secret|slow down$|<html>|CUDA/,
    );
    expect(fault.message).toContain(server.url);
  });

  it.each(table.filter(([, , , expected]) => "retry" in expected && expected.retry === "smaller"))(
    "gives up a single text at %s",
    async (_, behaviour, code) => {
      const { embedder } = await setUp({ behaviour });
      expect(await faultOf(embedder.embed(["x"], "document", signal))).toMatchObject({
        code,
        scope: "document",
        retry: "never",
      });
    },
  );

  it("blames the server, not a document, when its own harmless text is refused", async () => {
    const { embedder } = await setUp({ behaviour: error(400, "no") });
    const refused = { code: "embed.rejected", ...never };
    expect(await faultOf(embedder.check(signal))).toMatchObject(refused);
    expect(await faultOf(embedder.open(signal))).toMatchObject(refused);
  });

  it("reads Retry-After as an HTTP date", async () => {
    const date = new Date(Date.now() + 90_000).toUTCString();
    const { embedder } = await setUp({ behaviour: error(503, "", date) });
    const { retryAfterMs = 0 } = await faultOf(embedder.embed(two, "document", signal));
    expect(retryAfterMs).toBeGreaterThan(80_000);
    expect(retryAfterMs).toBeLessThanOrEqual(90_000);
  });

  it("takes a Retry-After that makes no sense for none, and a far one for an hour", async () => {
    const { embedder, server } = await setUp({ behaviour: error(429, "", "soon") });
    expect((await faultOf(embedder.embed(two, "document", signal))).retryAfterMs).toBeUndefined();
    server.behave(error(429, "", "999999999"));
    expect((await faultOf(embedder.embed(two, "document", signal))).retryAfterMs).toBe(3_600_000);
  });

  it.each([
    ["hangs", { kind: "hang" }],
    ["is slow", { kind: "slow", ms: 5_000 }],
  ] as const)("gives up after `timeout_ms` when the server %s", async (_, behaviour) => {
    const { embedder } = await setUp({ behaviour }, { timeout_ms: 30 });
    expect(await faultOf(embedder.embed(two, "document", signal))).toMatchObject({
      code: "embed.timeout",
      ...later,
    });
  });

  it("says that nobody listens", async () => {
    const { embedder, server } = await setUp();
    await server.close();
    const fault = await faultOf(embedder.embed(two, "document", signal));
    expect(fault).toMatchObject({ code: "embed.unreachable", ...later });
    expect(fault.message).toContain("connection refused");
  });

  it("hides credentials of the address and of its query", async () => {
    const embedder = embedderFor("http://user:hunter2@127.0.0.1:1/v1?key=hunter3");
    const fault = await faultOf(embedder.embed(two, "document", signal));
    expect(fault.message).toContain("http://127.0.0.1:1/v1");
    expect(`${fault.message}${String(fault.cause)}`).not.toMatch(/hunter|user/);
  });

  it("asks for numbers from then on when a server refuses base64", async () => {
    const { embedder } = await setUp({
      behaviour: ({ encoding }) =>
        encoding === "base64"
          ? {
              kind: "status",
              status: 422,
              body: '{"detail":[{"loc":["body","encoding_format"],"msg":"bad"}]}',
            }
          : undefined,
    });
    expect(await faultOf(embedder.embed(two, "document", signal))).toMatchObject({
      code: "embed.rejected",
      ...later,
    });
    expect((await embedder.embed(two, "document", signal)).vectors).toHaveLength(2);
  });

  it("is not led astray by a document that a server quotes", async () => {
    const body = JSON.stringify({
      detail: [
        {
          loc: ["body", "input"],
          msg: "bad input",
          input: "encoding_format maximum context length",
        },
      ],
    });
    const { embedder } = await setUp({ behaviour: { kind: "status", status: 422, body } });
    expect(await faultOf(embedder.embed(two, "document", signal))).toMatchObject({
      code: "embed.rejected",
      ...smaller,
    });
  });

  it("learns how many texts a server takes at once", async () => {
    const body = '{"error":"batch size 64 > maximum allowed batch size 32"}';
    const { embedder } = await setUp(
      { behaviour: { kind: "status", status: 422, body } },
      { max_batch_texts: 64 },
    );
    expect(embedder.limits.textsPerCall).toBe(64);
    await faultOf(embedder.embed(two, "document", signal));
    expect(embedder.limits.textsPerCall).toBe(32);
  });

  it("says that the server does not allow the `dimensions` asked for", async () => {
    const message =
      'Model "x" does not support matryoshka representation, changing output dimensions will lead to poor results.';
    const { embedder } = await setUp({ behaviour: error(400, message) }, { dimensions: 4 });
    const fault = await faultOf(embedder.embed(two, "document", signal));
    expect(fault).toMatchObject({ code: "embed.rejected", ...never });
    expect(fault.message).toContain("`dimensions`");
  });

  it("stops reading an endless answer soon after the size that vectors can have", async () => {
    const { embedder, server } = await setUp({}, { native_dimension: 8 });
    server.behave({ kind: "endless" });
    const before = process.memoryUsage().arrayBuffers;
    await faultOf(embedder.embed(two, "document", signal));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  });
});
