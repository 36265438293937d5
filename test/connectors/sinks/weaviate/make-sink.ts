import { weaviateSink } from "../../../../connectors/sinks/weaviate/index.ts";
import type { ConnectorContext, Sink } from "../../../../src/contracts/index.ts";
import { configureSink } from "../../../support/configure-sink.ts";

/** A sink as a pipeline makes it. */
export function makeSink(
  config: Readonly<Record<string, unknown>>,
  context: Partial<ConnectorContext> = {},
): Sink {
  return configureSink(weaviateSink, config, context);
}
