import { onTestFinished } from "vitest";
import { openaiEmbedder } from "../../../../connectors/embedders/openai/index.ts";
import type { Clock, Embedder, FaultLike } from "../../../../src/contracts/index.ts";
import { isFault } from "../../../../src/faults/index.ts";
import { systemClock } from "../../../../src/flow/index.ts";
import {
  type EmbeddingServer,
  type EmbeddingServerOptions,
  startEmbeddingServer,
} from "../../../../src/testkit/embedding-server.ts";

export const signal = new AbortController().signal;

/** A server and an embedder that talks to it; both end with the test. */
export async function setUp(
  server: EmbeddingServerOptions = {},
  config: Record<string, unknown> = {},
): Promise<{ server: EmbeddingServer; embedder: Embedder }> {
  const started = await startEmbeddingServer({ dimension: 8, ...server });
  onTestFinished(() => started.close());
  return { server: started, embedder: embedderFor(started.url, config) };
}

/** An embedder of a model that is not known, unless `config` says otherwise. */
export function embedderFor(
  url: string | readonly string[],
  config: Record<string, unknown> = {},
  clock: Clock = systemClock,
): Embedder {
  const address = typeof url === "string" ? { url } : { urls: url };
  const parsed = openaiEmbedder.config.parse({ ...address, model: "stub-model", ...config });
  const context = {
    name: "embedder",
    pipeline: "test",
    folder: "/",
    clock,
    fields: {},
  };
  const embedder = openaiEmbedder.create(parsed, context);
  onTestFinished(() => embedder.close());
  return embedder;
}

/** A clock whose monotonic time moves when told. */
export class HandClock implements Clock {
  time = 0;
  now(): number {
    return this.time;
  }
  monotonic(): number {
    return this.time;
  }
  sleep(milliseconds: number, stop: AbortSignal): Promise<void> {
    return systemClock.sleep(milliseconds, stop);
  }
}

/** Servers, and an embedder of all of them with a clock that moves when told. */
export async function place(count: number, config: Record<string, unknown> = {}) {
  const servers: EmbeddingServer[] = [];
  for (let index = 0; index < count; index += 1) {
    const server = await startEmbeddingServer({ dimension: 8 });
    onTestFinished(() => server.close());
    servers.push(server);
  }
  const clock = new HandClock();
  const urls = servers.map(({ url }) => url);
  const embedder = embedderFor(count === 1 ? (urls[0] ?? "") : urls, config, clock);
  return { servers, clock, embedder, urls };
}

/** The fault with which a promise rejects. */
export async function faultOf(promise: Promise<unknown>): Promise<FaultLike> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isFault(error))
    throw new TypeError("The promise did not reject with a fault.", { cause: error });
  return error;
}
