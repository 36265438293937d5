import { createServer, type IncomingMessage } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { openaiEmbedder } from "../../../../connectors/embedders/openai/index.ts";
import { loadOf } from "../../../../connectors/embedders/openai/server/server-load.ts";
import { LoadWatch } from "../../../../connectors/embedders/openai/server/load-watch.ts";
import type { Embedder, PlaceLoad } from "../../../../src/contracts/index.ts";
import { systemClock } from "../../../../src/flow/index.ts";
import { VirtualClock } from "../../../unit/engine/rig/virtual-clock.ts";

const vllm = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="Qwen/Qwen3-Embedding-0.6B"} 12.0
vllm:num_requests_running{engine="1",model_name="Qwen/Qwen3-Embedding-0.6B"} 4.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="a } b"} 3.0
vllm:kv_cache_usage_perc{engine="0"} 0.25
vllm:kv_cache_usage_perc{engine="1"} 0.5
vllm:prompt_tokens_total{engine="0"} 1.234e+06
`;

describe("the load that a server tells", () => {
  it.each([
    ["vllm", vllm, { running: 16, waiting: 3, memory: 0.5 }],
    ["vllm", "vllm:gpu_cache_usage_perc 0.1\n", { memory: 0.1 }],
    [
      "sglang",
      'sglang:num_running_reqs{m="x"} 7.0\nsglang:num_queue_reqs{m="x"} 0\nsglang:token_usage 0.01\n',
      { running: 7, waiting: 0, memory: 0.01 },
    ],
    ["tei", "# TYPE te_queue_size gauge\nte_queue_size 42\n", { waiting: 42 }],
    [
      "llama.cpp",
      "llamacpp:requests_processing 1\nllamacpp:requests_deferred 2\n",
      { running: 1, waiting: 2 },
    ],
    ["tei", vllm, undefined],
    ["vllm", "<html>no metrics</html>", undefined],
    ["vllm", "vllm:num_requests_running NaN\nvllm:num_requests_waiting -1\n", undefined],
    ["ollama", vllm, undefined],
  ] as const)("is read from the names of %s, all engines together", (kind, page, load) => {
    expect(loadOf(kind, page)).toEqual(load);
  });

  it("is asked for once in five seconds at most, one question at a time, and nobody waits for it", async () => {
    const clock = new VirtualClock();
    const answers: PromiseWithResolvers<PlaceLoad | undefined>[] = [];
    const watch = new LoadWatch(clock, () => {
      const answer = Promise.withResolvers<PlaceLoad | undefined>();
      answers.push(answer);
      return answer.promise;
    });
    expect([watch.read(), watch.read()]).toEqual([undefined, undefined]);
    expect(answers).toHaveLength(1);
    answers[0]?.resolve({ running: 1 });
    await clock.pass(4_999);
    expect([watch.read(), answers.length]).toEqual([{ running: 1 }, 1]);
    await clock.pass(2);
    expect([watch.read(), answers.length]).toEqual([{ running: 1 }, 2]);
    await clock.pass(60_000);
    expect([watch.read(), answers.length]).toEqual([{ running: 1 }, 2]);
    answers[1]?.reject(new Error("gone"));
    for (const calls of [3, 4]) {
      await clock.pass(6_000);
      expect([watch.read(), answers.length]).toEqual([undefined, calls]);
      answers[calls - 1]?.resolve(undefined);
    }
    await clock.pass(60_000);
    expect([watch.read(), answers.length]).toEqual([undefined, 4]);
  });
});

/** A server that says it is vLLM, and notes who asks for its measures. */
async function place(): Promise<{ embedder: Embedder; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === "/metrics") asked.push(request);
    const answers: Readonly<Record<string, string>> = {
      "/metrics": vllm,
      "/v1/models": JSON.stringify({ data: [{ id: "m", owned_by: "vllm", max_model_len: 512 }] }),
      "/version": JSON.stringify({ version: "0.28.0" }),
      "/v1/embeddings": JSON.stringify({ data: [{ index: 0, embedding: [1, 0, 0, 0] }] }),
    };
    const answer = answers[request.url ?? ""];
    response.writeHead(answer === undefined ? 404 : 200).end(answer ?? "");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const config = openaiEmbedder.config.parse({
    url: `http://127.0.0.1:${port}/v1`,
    api_key: "a-key",
    model: "m",
  });
  const context = { name: "embedder", pipeline: "test", folder: "/", clock: systemClock };
  const embedder = openaiEmbedder.create(config, { ...context, fields: {} });
  onTestFinished(async () => {
    await embedder.close();
    server.closeAllConnections();
    server.close();
  });
  return { embedder, asked };
}

it("is among the measures of a server that was recognised, asked with the key, and never after closing", async () => {
  const { embedder, asked } = await place();
  expect(embedder.measures?.()[0]).not.toHaveProperty("load");
  expect(asked).toHaveLength(0);
  await embedder.open(new AbortController().signal);
  const load = { running: 16, waiting: 3, memory: 0.5 };
  await expect.poll(() => embedder.measures?.()[0]?.load).toEqual(load);
  expect(asked).toHaveLength(1);
  expect(asked[0]?.headers.authorization).toBe("Bearer a-key");
  await embedder.close();
  expect(embedder.measures?.()[0]).not.toHaveProperty("load");
  expect(asked).toHaveLength(1);
});
