import { closePipeline, run } from "../../../src/engine/index.ts";
import { loadPipeline } from "../../../src/load-pipeline.ts";

const [, file = "", , ...more] = process.argv.slice(2);
const pipeline = await loadPipeline(file);
const allowDeletions = more.includes("--allow-deletions") ? { allowDeletions: Infinity } : {};
const { summary, exitCode } = await run(pipeline, allowDeletions);
await closePipeline(pipeline);
console.log(JSON.stringify(summary));
process.exitCode = exitCode;
