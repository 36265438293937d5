import { appendFileSync, readFileSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { ProblemError } from "../../../../../connectors/embedders/qwen3/runtime/worker/problem-error.ts";
import { serve } from "../../../../../connectors/embedders/qwen3/runtime/worker/serve.ts";

// The real thread, which dies, fails, or finds no room where the environment asks for it.
const asked = new URLSearchParams(process.env["FAULTY_WORKER"]);
/** Each death, or each run if they are counted, writes a byte here: threads know nothing of those before them. */
const deaths = asked.get("deaths") ?? "";
const mostDeaths = Number(asked.get("most") ?? 0);
const how = asked.get("how");
/** Rows that have this id do what is asked. */
const trigger = Number(asked.get("trigger") ?? -1);
const room = Number(asked.get("room") ?? Number.POSITIVE_INFINITY);

function beforeRun(ids: Int32Array, lengths: Int32Array): void {
  if (how === "count") appendFileSync(deaths, "x");
  if (lengths.length * Math.max(...lengths) > room) {
    throw new ProblemError("memory", "Failed to allocate memory for requested buffer of size 1.");
  }
  if (!ids.includes(trigger)) return;
  if (how === "not-finite") throw new ProblemError("not-finite", "Text 1 of 1 gave NaN.");
  if (how === undefined || how === null) return;
  if (readFileSync(deaths).length >= mostDeaths) return;
  appendFileSync(deaths, "x");
  if (how === "exit") process.exit(7);
  if (how === "throw")
    setImmediate(() => {
      throw new Error("The driver went away.");
    });
  throw new ProblemError("run", "CUDA error 700: an illegal memory access was encountered");
}

if (parentPort !== null) serve(parentPort, { beforeRun });
