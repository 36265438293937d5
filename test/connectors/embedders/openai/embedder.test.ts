import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { textHash, stubVector } from "../../../../src/testkit/embedding-vector.ts";
import { embedderFor, faultOf, setUp, signal } from "./harness.ts";

const texts = ["alpha", "beta", "gamma", "δέλτα 🙂"];

describe("openai embedder", () => {
  it("gives exactly the server's vectors in the order of the texts", async () => {
    const { embedder, server } = await setUp();
    const { vectors, tokens } = await embedder.embed(texts, "document", signal);
    expect(vectors).toEqual(texts.map((text) => stubVector(text, 8)));
    expect(tokens).toBe(server.stats().tokens);
  });

  it.each(["shuffled", "floats"] as const)("accepts an answer that is %s", async (kind) => {
    const { embedder } = await setUp({ behaviour: { kind } });
    const { vectors } = await embedder.embed(texts, "document", signal);
    expect(vectors).toEqual(texts.map((text) => stubVector(text, 8)));
  });

  it("asks base64, names the model and sends `dimensions` only when configured", async () => {
    const seen: unknown[] = [];
    const { server, embedder } = await setUp({
      behaviour: ({ encoding, model, dimensions }) => {
        seen.push({ encoding, model, dimensions });
        return undefined;
      },
    });
    await embedder.embed(["x"], "document", signal);
    const short = embedderFor(server.url, { dimensions: 4 });
    const { vectors } = await short.embed(["x"], "document", signal);
    expect(vectors[0]).toHaveLength(4);
    expect(seen).toEqual([
      { encoding: "base64", model: "stub-model", dimensions: undefined },
      { encoding: "base64", model: "stub-model", dimensions: 4 },
    ]);
  });

  it("makes no request for no texts", async () => {
    const { embedder, server } = await setUp();
    expect(await embedder.embed([], "document", signal)).toEqual({ vectors: [] });
    expect(server.stats().requests).toBe(0);
  });

  it("asks an unknown model once for its dimension and calls it not Matryoshka", async () => {
    const { embedder, server } = await setUp({ dimension: 12 });
    const model = await embedder.open(signal);
    expect(model).toEqual({
      id: "stub-model",
      dimensions: { native: 12, min: 12, matryoshka: false },
      contextTokens: 8192,
      specialTokens: 2,
      prompts: { document: "", query: "" },
    });
    expect(server.stats().requests).toBe(1);
  });

  it("lets the file say what an unknown model can", async () => {
    const { embedder, server } = await setUp(
      {},
      { native_dimension: 8, matryoshka: true, min_dimension: 2, context_tokens: 512 },
    );
    const model = await embedder.open(signal);
    expect(model.dimensions).toEqual({ native: 8, min: 2, matryoshka: true });
    expect(model.contextTokens).toBe(512);
    expect(server.stats().requests).toBe(0);
  });

  it("opens a model whose length is known also while its server is down, and no other", async () => {
    const { embedder, server } = await setUp({}, { native_dimension: 8 });
    await server.close();
    expect((await embedder.open(signal)).dimensions.native).toBe(8);
    expect(await faultOf(embedderFor(server.url).open(signal))).toMatchObject({
      code: "embed.unreachable",
    });
  });

  it("refuses answers of another model than before, by its name", async () => {
    const { embedder, server } = await setUp();
    await embedder.open(signal);
    server.behave({
      kind: "body",
      body: JSON.stringify({
        model: "other-model",
        data: [{ index: 0, embedding: [1, 2, 3, 4, 5, 6, 7, 8] }],
      }),
    });
    const fault = await faultOf(embedder.embed(["x"], "document", signal));
    expect(fault).toMatchObject({ code: "embed.invalid", scope: "component", retry: "never" });
    expect(fault.message).toMatch(/`other-model`.*`stub-model`/);
  });

  it("knows Qwen3-Embedding without asking for vectors, and dresses queries only", async () => {
    const { embedder, server } = await setUp(
      { dimension: 1024 },
      { model: "Qwen/Qwen3-Embedding-0.6B" },
    );
    const model = await embedder.open(signal);
    expect(server.stats().requests).toBe(0);
    expect(model.dimensions).toEqual({ native: 1024, min: 32, matryoshka: true });
    expect(model.contextTokens).toBe(32_768);
    expect(embedder.tokenizer.exact).toBe(true);
    await embedder.embed(["how $& now"], "document", signal);
    await embedder.embed(["how $& now"], "query", signal);
    expect(server.timesAnswered("how $& now")).toBe(1);
    const task = "Given a web search query, retrieve relevant passages that answer the query";
    expect(server.timesAnswered(`Instruct: ${task}\nQuery:how $& now`)).toBe(1);
  });

  it("says in its name that a tokenizer only stands in for the model's own", async () => {
    const { embedder } = await setUp();
    expect(embedder.tokenizer.exact).toBe(false);
    expect(embedder.tokenizer.id).toMatch(/^stand-in:/);
    expect(await embedder.tokenizer.countBatch(["one two"])).toEqual([2]);
  });

  it("refuses a known model whose server gives vectors of another length", async () => {
    const { embedder } = await setUp({ dimension: 768 }, { model: "qwen3-embedding:0.6b" });
    const fault = await faultOf(embedder.check(signal));
    expect(fault).toMatchObject({ code: "embed.invalid", scope: "component", retry: "never" });
    expect(fault.message).toContain("768 numbers where 1024 are expected");
  });

  it("refuses a native dimension that changes between answers", async () => {
    const { embedder, server } = await setUp();
    await embedder.open(signal);
    server.behave({ kind: "wrong-length", dimension: 9, only: 1 });
    expect(await faultOf(embedder.embed(texts, "document", signal))).toMatchObject({
      code: "embed.invalid",
      retry: "never",
    });
  });

  it("refuses one of two first answers that differ in length", async () => {
    const { embedder } = await setUp({
      behaviour: [{ kind: "wrong-length", dimension: 7 }, undefined],
    });
    const calls = ["a", "b"].map((text) => embedder.embed([text], "document", signal));
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(1);
    expect(outcomes.map((outcome) => "reason" in outcome && outcome.reason)).toContainEqual(
      expect.objectContaining({ code: "embed.invalid" }),
    );
  });

  it("sends the key as a bearer token, more headers, and credentials of the address as basic", async () => {
    const seen: unknown[] = [];
    const { server, embedder } = await setUp(
      { behaviour: ({ headers }) => void seen.push([headers.authorization, headers["api-key"]]) },
      { api_key: " sk-secret\n", headers: { "api-key": "other" } },
    );
    await embedder.embed(["x"], "document", signal);
    const address = new URL(server.url);
    address.username = "user";
    address.password = "p%40ss";
    await embedderFor(address.href, { api_key: "" }).embed(["x"], "document", signal);
    expect(seen).toEqual([
      ["Bearer sk-secret", "other"],
      [`Basic ${Buffer.from("user:p@ss").toString("base64")}`, undefined],
    ]);
  });

  it("takes an address with or without `/embeddings` and slashes at its end", async () => {
    const { server } = await setUp();
    for (const end of ["", "/", "/embeddings", "/embeddings/"]) {
      await embedderFor(server.url + end).check(signal);
    }
    expect(server.stats().answered).toBe(4);
  });

  it("replaces lone surrogates as every tokenizer does, instead of breaking the request", async () => {
    const { embedder, server } = await setUp();
    await embedder.embed(["a\ud800b"], "document", signal);
    expect(server.answeredTexts().has(textHash("a\ufffdb"))).toBe(true);
  });

  it("stops on abort with the signal's reason, before and during a call", async () => {
    const { embedder, server } = await setUp();
    const reason = new Error("enough");
    await expect(embedder.embed(["x"], "document", AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(server.stats().requests).toBe(0);
    const controller = new AbortController();
    server.behave(() => {
      controller.abort(reason);
      return { kind: "hang" };
    });
    await expect(embedder.embed(["x"], "document", controller.signal)).rejects.toBe(reason);
  });

  it("ends calls in flight when it is closed, twice, and refuses later ones", async () => {
    const { embedder, server } = await setUp();
    server.behave(() => {
      void embedder.close();
      return { kind: "hang" };
    });
    expect(await faultOf(embedder.embed(["x"], "document", signal))).toMatchObject({
      code: "aborted",
    });
    await embedder.close();
    expect(await faultOf(embedder.embed(["x"], "document", signal))).toMatchObject({
      code: "aborted",
    });
  });

  it("leaves no listener on a signal that lives longer than the call", async () => {
    const { embedder } = await setUp();
    const long = new AbortController().signal;
    for (let call = 0; call < 20; call += 1) await embedder.embed(["x"], "document", long);
    expect(getEventListeners(long, "abort")).toHaveLength(0);
  });

  it("keeps its connection from call to call", async () => {
    const ports = new Set<unknown>();
    const { server } = await setUp();
    const embedder = embedderFor(server.url);
    server.behave(({ headers }) => void ports.add(headers.connection));
    for (let call = 0; call < 5; call += 1) await embedder.embed(["x"], "document", signal);
    expect(ports).toEqual(new Set(["keep-alive"]));
  });
});
