import { importConnector } from "../../../src/config/index.ts";
import { closePipeline } from "../../../src/engine/index.ts";
import { isFault } from "../../../src/faults/index.ts";
import { loadPipeline } from "../../../src/load-pipeline.ts";

/**
 * Loads a pipeline file and asks all its sinks at once, while a connector of somebody else's is loaded; prints by sink
 * what came of it.
 */
const [file = "", theirs = ""] = process.argv.slice(2);
const pipeline = await loadPipeline(file, { env: {} });
const importing = importConnector({ kind: "file", path: theirs }, "sink");
const { signal } = new AbortController();
const outcomes = await Promise.all(
  [...pipeline.sinks].map(async ([name, { sink }]) => {
    const outcome = await sink.describe(signal).then(
      () => "described",
      (error: unknown) => (isFault(error) ? error.code : String(error)),
    );
    return [name, outcome] as const;
  }),
);
await closePipeline(pipeline);
const theirOutcome = await importing;
const their = "why" in theirOutcome ? theirOutcome.why : theirOutcome.type;
console.log(JSON.stringify({ ...Object.fromEntries(outcomes), theirs: their }));
