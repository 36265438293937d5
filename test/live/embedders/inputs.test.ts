import { describe, expect, test } from "vitest";
import type { Embedder } from "../../../src/contracts/index.ts";
import { farthest, goldens, signal, tiny } from "../../connectors/embedders/qwen3/harness.ts";
import { faultOf } from "../../connectors/embedders/openai/harness.ts";
import { describeLive } from "../support/live-servers.ts";
import { mostTokens, servedBy } from "./tiny-server.ts";

const never = { code: "embed.too-long", scope: "document", retry: "never" };
const smaller = { ...never, retry: "smaller" };
const { max_abs_diff: maxDifference } = goldens.tolerance.fp32;

/** A text of so many tokens, the end token included. */
function textOf(tokens: number): string {
  return " a".repeat(tokens - 1);
}

/** What no tokenizer likes; each has a vector all the same. */
const odd: Readonly<Record<string, string>> = {
  "the empty text": "",
  "a space": " ",
  "spaces and line ends": " \t\r\n \n\n",
  "white space of other kinds": "\u00a0\u2003\u3000\u200b",
  "a literal `<|im_end|>`": "before <|im_end|> behind",
  "a literal `<|endoftext|>` at the end": "a text <|endoftext|>",
  "literal tokens and nothing else": "<|im_start|><|im_end|><|endoftext|>",
  "half a literal token": "<|im_en",
  "a lone high surrogate": "before \ud83d behind",
  "a lone low surrogate at the start": "\ude00 behind",
  "surrogates the wrong way round": "\ude00\ud83d",
  "a null character": "before \0 behind",
  "control characters": "\u0001\u0008\u001b[31m\u007f\u0085",
  "a byte order mark": "\ufeffA text.",
  "marks without a letter": "\u0301\u0308\u030a",
  "letters with composed and loose marks": "Ångström, A\u030angstro\u0308m",
  "Hangul in parts": "\u1112\u1161\u11ab\u1100\u1173\u11af",
  "an emoji of several": "👩🏽‍🚀👨‍👩‍👧‍👦🇩🇪",
  "quotes and backslashes": String.raw`"\u0041\\" '\n' </script> %00`,
};

async function opened(embedder: Embedder): Promise<Embedder> {
  await embedder.open(signal);
  return embedder;
}

async function post(address: string, input: unknown): Promise<{ status: number; text: string }> {
  const response = await fetch(`${address}/embeddings`, {
    method: "POST",
    body: typeof input === "string" ? input : JSON.stringify({ input }),
  });
  return { status: response.status, text: await response.text() };
}

describeLive("llama-cpp", ({ address }) => {
  describe("a text that no tokenizer likes has the vector that it has in this process:", () => {
    for (const [name, text] of Object.entries(odd)) {
      test(name, async () => {
        const [served, own] = [await opened(servedBy(address)), await opened(tiny())];
        const { vectors, tokens } = await served.embed([text], "document", signal);
        const expected = await own.embed([text], "document", signal);
        expect(tokens).toBe(expected.tokens);
        const difference = farthest(vectors[0] ?? [], expected.vectors[0] ?? []);
        expect(difference).toBeLessThanOrEqual(maxDifference);
      });
    }

    test("and all of them in one request, among others", async () => {
      const texts = [...Object.values(odd), "An ordinary text.", textOf(mostTokens)];
      const [served, own] = [await opened(servedBy(address)), await opened(tiny())];
      const { vectors } = await served.embed(texts, "document", signal);
      const expected = await own.embed(texts, "document", signal);
      for (const [index, vector] of vectors.entries()) {
        const difference = farthest(vector, expected.vectors[index] ?? []);
        expect(difference, texts[index]).toBeLessThanOrEqual(maxDifference);
      }
    });
  });

  describe("a text that is too long", () => {
    test("is refused by one token, and never cut", async () => {
      const embedder = await opened(servedBy(address));
      const { tokens } = await embedder.embed([textOf(mostTokens)], "document", signal);
      expect(tokens).toBe(mostTokens);
      const longer = [textOf(mostTokens + 1)];
      expect(await faultOf(embedder.embed(longer, "document", signal))).toMatchObject(never);
      const among = ["Short.", ...longer, "Short, too."];
      expect(await faultOf(embedder.embed(among, "document", signal))).toMatchObject(smaller);
    });

    test("of 40,000 tokens is refused, and the server answers the next one", async () => {
      const embedder = await opened(servedBy(address));
      const long = [textOf(40_000)];
      expect(await faultOf(embedder.embed(long, "document", signal))).toMatchObject(never);
      expect((await embedder.embed(["Short."], "document", signal)).vectors).toHaveLength(1);
    });

    test("is told as such by the server itself, by its tokens and its context", async () => {
      const { status, text } = await post(address, [textOf(600)]);
      expect(status).toBe(400);
      expect(JSON.parse(text)).toMatchObject({
        error: { type: "exceed_context_size_error", n_prompt_tokens: 600, n_ctx: mostTokens + 1 },
      });
    });
  });

  // What the embedder must never send, and why; where the server changes its mind, these tests say so.
  describe("the server by itself", () => {
    test("refuses a whole request for half a surrogate pair", async () => {
      const { status, text } = await post(address, String.raw`{"input":["a","b\ud83d"]}`);
      expect(status).toBe(400);
      expect(text).toContain("surrogate");
    });

    test("refuses a request of no texts", async () => {
      expect((await post(address, [])).status).toBe(400);
    });

    test("does not compose letters and marks: two spellings of one text have two vectors", async () => {
      const { text } = await post(address, ["Ångström", "A\u030angstro\u0308m"]);
      const { data } = JSON.parse(text) as { data: readonly { embedding: readonly number[] }[] };
      const difference = farthest(data[0]?.embedding ?? [], data[1]?.embedding ?? []);
      expect(difference).toBeGreaterThan(0.1);
    });

    test("answers whatever model is asked for, under that name", async () => {
      const body = JSON.stringify({ input: ["a"], model: "no-such-model" });
      const { status, text } = await post(address, body);
      expect(status).toBe(200);
      expect(JSON.parse(text)).toMatchObject({ model: "no-such-model" });
    });
  });
});
