import { define } from "../../../src/contracts/index.ts";
import { memoryConfig } from "./config.ts";
import { createMemorySink } from "./sink.ts";

export { memoryStore } from "./store.ts";

/** A store that lives as long as the process. */
export const memorySink = define({
  kind: "sink",
  type: "memory",
  revision: 1,
  summary: "Keeps the index in the memory of the process, for tests and trials; exact search.",
  stability: "stable",
  config: memoryConfig,
  examples: [{ title: "A collection for a trial", config: { collection: "trial" } }],
  packages: [],
  create: createMemorySink,
});
