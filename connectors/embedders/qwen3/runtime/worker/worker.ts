import { parentPort } from "node:worker_threads";
import { serve } from "./serve.ts";

// The thread that holds a session; `ModelThread` starts it.
if (parentPort !== null) serve(parentPort);
