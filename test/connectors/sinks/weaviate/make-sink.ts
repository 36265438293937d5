import { weaviateSink } from "../../../../connectors/sinks/weaviate/index.ts";
import type { ConnectorContext, Sink } from "../../../../src/contracts/index.ts";
import { systemClock } from "../../../../src/flow/index.ts";
import { lawFields } from "../../../../src/testkit/index.ts";

/** A sink as a pipeline makes it. */
export function makeSink(
  config: Readonly<Record<string, unknown>>,
  context: Partial<ConnectorContext> = {},
): Sink {
  return weaviateSink.create(weaviateSink.config.parse(config), {
    name: "search",
    pipeline: "law",
    folder: "/",
    clock: systemClock,
    fields: lawFields,
    ...context,
  });
}
