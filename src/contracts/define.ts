import { z } from "zod";
import type { Connector, ConnectorKind } from "./connector.ts";

/** Declares a connector; the identity function with the types tied together. */
export function define<const Kind extends ConnectorKind, Config>(
  connector: Connector<Kind, Config>,
): Connector<Kind, Config> {
  return Object.freeze(connector);
}

/** A string that is redacted wherever configuration or messages are shown. */
export function secret(description: string): z.ZodString {
  return z.string().meta({ description, secret: true });
}
