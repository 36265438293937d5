import { type MessagePort, parentPort } from "node:worker_threads";
import type { Request } from "../../../../../connectors/embedders/qwen3/runtime/protocol.ts";
import { ProblemError } from "../../../../../connectors/embedders/qwen3/runtime/worker/problem-error.ts";
import { serve } from "../../../../../connectors/embedders/qwen3/runtime/worker/serve.ts";

// The real thread, which computes on the CPU whatever device it is told, and does what is asked on one of several.
const asked = new URLSearchParams(process.env["NUMBERED_WORKER"]);
/** The devices that fail, and at rows that have this id. */
const failing = new Set((asked.get("failing") ?? "").split(",").filter(Boolean).map(Number));
const trigger = Number(asked.get("trigger") ?? -1);
/** A device that is asked to load and is none. */
const missing = Number(asked.get("missing") ?? -1);
let deviceId = -1;

function beforeRun(ids: Int32Array): void {
  if (failing.has(deviceId) && ids.includes(trigger)) {
    throw new ProblemError("run", "CUDA error 79: the GPU has fallen off the bus");
  }
  // Nothing ends this, as nothing ends a driver that hangs.
  if (asked.get("how") === "hang" && ids.includes(trigger)) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
}

function onCpu(request: Request): Request {
  if (request.kind !== "load") return request;
  if (request.device !== "cpu") ({ deviceId } = request);
  return { ...request, device: "cpu" };
}

if (parentPort !== null) {
  const port = parentPort;
  const wrapped = {
    on: (name: "message", listen: (request: Request) => void) =>
      port.on(name, (request: Request) => {
        if (request.kind === "load" && request.deviceId === missing) {
          const message = "CUDA failure 101: invalid device ordinal";
          port.postMessage({ id: request.id, kind: "failed", problem: "device", message });
        } else if (asked.get("dies-at") === request.kind) process.exit(9);
        else listen(onCpu(request));
      }),
    postMessage: port.postMessage.bind(port),
    close: () => port.close(),
  };
  serve(wrapped as unknown as MessagePort, { beforeRun });
}
