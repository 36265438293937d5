import { Fault } from "../faults/index.ts";
import type { PipelineSink, PipelineSource } from "./pipeline.ts";

/** Those of the names, each once, or all. */
export function pick<T extends PipelineSink | PipelineSource>(
  all: ReadonlyMap<string, T>,
  names: readonly string[] | undefined,
  what: "source" | "sink",
): T[] {
  if (names === undefined) return [...all.values()];
  return [...new Set(names)].map((name) => {
    const found = all.get(name);
    if (found !== undefined) return found;
    const known = [...all.keys()].map((key) => `\`${key}\``).join(", ");
    throw new Fault("config.invalid", `There is no ${what} \`${name}\`; the file has ${known}.`);
  });
}
