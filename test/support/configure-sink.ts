import type { Connector, ConnectorContext, Sink } from "../../src/contracts/index.ts";
import { systemClock } from "../../src/flow/index.ts";
import { lawFields } from "../../src/testkit/index.ts";

/** A sink as a pipeline makes it: the one called `search` of the pipeline `law`, unless told otherwise. */
export function configureSink<Config>(
  connector: Connector<"sink", Config>,
  config: Readonly<Record<string, unknown>>,
  context: Partial<ConnectorContext> = {},
): Sink {
  return connector.create(connector.config.parse(config), {
    name: "search",
    pipeline: "law",
    folder: "/",
    clock: systemClock,
    fields: lawFields,
    ...context,
  });
}
