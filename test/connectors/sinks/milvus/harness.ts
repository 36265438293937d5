import { onTestFinished } from "vitest";
import { milvusSink } from "../../../../connectors/sinks/milvus/index.ts";
import type { ConnectorContext, Sink } from "../../../../src/contracts/index.ts";
import { systemClock } from "../../../../src/flow/index.ts";
import { type Answers, FakeMilvus } from "./fake-milvus.ts";
import { modernMilvus } from "./modern.ts";

export const { signal } = new AbortController();

/** A sink as a pipeline makes it; closed when the test is over. */
export function makeSink(
  address: string,
  config: Readonly<Record<string, unknown>> = {},
  context: Partial<ConnectorContext> = {},
): Sink {
  const parsed = milvusSink.config.parse({ address, collection: "handbook", ...config });
  const sink = milvusSink.create(parsed, {
    name: "search",
    pipeline: "law",
    folder: import.meta.dirname,
    clock: systemClock,
    fields: {},
    ...context,
  });
  onTestFinished(() => sink.close());
  return sink;
}

/** A fake server that ends with the test. */
export async function startFake(
  answers: Answers = modernMilvus(),
  tls?: Parameters<typeof FakeMilvus.start>[1],
): Promise<FakeMilvus> {
  const fake = await FakeMilvus.start(answers, tls);
  onTestFinished(() => fake.stop());
  return fake;
}
