import { onTestFinished } from "vitest";
import { milvusSink } from "../../../../connectors/sinks/milvus/index.ts";
import type { ConnectorContext, Sink } from "../../../../src/contracts/index.ts";
import { configureSink } from "../../../support/configure-sink.ts";
import { type Answers, FakeMilvus } from "./fake-milvus.ts";
import { modernMilvus } from "./modern.ts";

export const { signal } = new AbortController();

/** A sink as a pipeline makes it; closed when the test is over. */
export function makeSink(
  address: string,
  config: Readonly<Record<string, unknown>> = {},
  context: Partial<ConnectorContext> = {},
): Sink {
  const whole = { address, collection: "handbook", ...config };
  const folder = import.meta.dirname;
  const sink = configureSink(milvusSink, whole, { folder, fields: {}, ...context });
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
