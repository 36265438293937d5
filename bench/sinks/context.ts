import type { ConnectorContext } from "../../src/contracts/index.ts";
import { systemClock } from "../../src/flow/index.ts";

/** What a sink is made with; paths are read below the folder. */
export function contextOf(folder = "/"): ConnectorContext {
  return { name: "bench", pipeline: "bench", folder, clock: systemClock, fields: {} };
}
