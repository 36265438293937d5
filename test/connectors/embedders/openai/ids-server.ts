import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { onTestFinished } from "vitest";
import { readBody, sendJson, sendStatus } from "../../../../src/testkit/embedding-responses.ts";
import { stubVector } from "../../../../src/testkit/embedding-vector.ts";
import { TokenEncoder } from "../../../../src/tokenizer/index.ts";

/** The tokenizer of the tiny model; its special token stands behind every text. */
export const tokenizerFile = resolve("test/fixtures/tiny-qwen3/tokenizer.json");
const endToken = 2256;

/** What is wrong with how a server reads ids. */
export type IdsQuirk = "refuses" | "appends-end" | "none" | "other-tokenizer" | "counts-nothing";

export interface IdsServer {
  readonly url: string;
  /** Inputs that came as texts, and as ids. */
  readonly texts: readonly string[];
  readonly ids: readonly (readonly number[])[];
  quirk: IdsQuirk;
}

interface Request {
  readonly input: readonly (string | readonly number[])[];
}

/** A server with the tiny model's tokenizer: a text's vector is drawn from its ids. */
export async function startIdsServer(
  product = "vllm",
  quirk: IdsQuirk = "none",
): Promise<IdsServer> {
  const encoder = await TokenEncoder.open(tokenizerFile, new AbortController().signal);
  const told = { texts: [] as string[], ids: [] as (readonly number[])[], quirk, url: "" };
  const idsOf = async (input: string | readonly number[]): Promise<readonly number[]> => {
    if (typeof input !== "string") {
      told.ids.push(input);
      return told.quirk === "appends-end" ? [...input, endToken] : input;
    }
    told.texts.push(input);
    // Another vocabulary has other ids for the same text, though as many.
    const shift = told.quirk === "other-tokenizer" ? 1 : 0;
    const [ids = new Int32Array()] = await encoder.encode([input], new AbortController().signal);
    return [...ids.map((id) => id + shift), endToken];
  };
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const body = await readBody(request);
      if (request.url === "/v1/models") {
        return sendJson(response, {
          data: [{ id: "tiny", owned_by: product, max_model_len: 512 }],
        });
      }
      if (request.method !== "POST") return sendStatus(response, { status: 404 });
      const { input } = JSON.parse(body) as Request;
      if (told.quirk === "refuses" && input.some((one) => typeof one !== "string")) {
        return sendStatus(response, { status: 400, body: '{"error":"invalid input type"}' });
      }
      const rows = await Promise.all(input.map((one) => idsOf(one)));
      const data = rows.map((ids, index) => ({
        index,
        embedding: [...stubVector(ids.join(), 16)],
      }));
      const tokens = rows.reduce((sum, ids) => sum + ids.length, 0);
      const usage = told.quirk === "counts-nothing" ? undefined : { prompt_tokens: tokens };
      sendJson(response, { model: "tiny", data, usage });
    };
    answer().catch(() => response.destroy());
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  // Bound to a port, never to a pipe.
  told.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((done) => void server.close(done));
    await encoder.close();
  });
  return told;
}
