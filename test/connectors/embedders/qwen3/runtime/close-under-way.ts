import { Runtime } from "../../../../../connectors/embedders/qwen3/runtime/index.ts";
import { noAbort, optionsOf, rows } from "./tiny-model.ts";

// A program that closes while runs are under way and then has nothing to do: a thread that is left would hold it.
const runtime = await Runtime.open(optionsOf(), noAbort);
const calls = Array.from({ length: 8 }, () => runtime.run(rows, noAbort));
const closings = [runtime.close(), runtime.close()];
const settled = await Promise.allSettled(calls);
await Promise.all(closings);
await runtime.close();
const codes = settled.map((call) =>
  call.status === "rejected" ? String(call.reason.code) : "vectors",
);
console.log(JSON.stringify([...new Set(codes)].toSorted()));
