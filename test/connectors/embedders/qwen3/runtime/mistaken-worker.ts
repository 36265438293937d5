import { parentPort } from "node:worker_threads";
import { serve } from "../../../../../connectors/embedders/qwen3/runtime/worker/serve.ts";
import { type LayoutName, layouts } from "./layouts.ts";

// The real thread, but for how it lays rows out. Threads are given the environment, and no question mark in their URL.
const name = process.env["MISTAKEN_LAYOUT"] as LayoutName;
if (parentPort !== null) serve(parentPort, { layout: layouts[name] });
