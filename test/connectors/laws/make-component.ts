import type { ComponentOf, Connector, ConnectorKind } from "../../../src/contracts/index.ts";
import { systemClock } from "../../../src/flow/index.ts";
import { lawFields, type LawContext } from "../../../src/testkit/index.ts";

/** A component as a pipeline file makes it; closed when the law is over. */
export function makeComponent<Kind extends ConnectorKind, Config>(
  connector: Connector<Kind, Config>,
  config: unknown,
  context: Pick<LawContext, "defer">,
): ComponentOf[Kind] {
  const component = connector.create(connector.config.parse(config), {
    name: "law",
    pipeline: "law",
    folder: "/",
    clock: systemClock,
    fields: lawFields,
  });
  context.defer(() => component.close());
  return component;
}
