import type { MessagePort } from "node:worker_threads";
import type { Answer, LoadRequest, Request, RunRequest } from "../protocol.ts";
import type { Layout } from "./layout.ts";
import { loadOnnx } from "./onnxruntime.ts";
import { isOutOfMemory } from "./out-of-memory.ts";
import { ProblemError } from "./problem-error.ts";
import { Session } from "./session.ts";

/** What the tests do otherwise: another layout, and something before each run. */
export interface Seams {
  readonly layout?: Layout;
  readonly beforeRun?: (ids: Int32Array, lengths: Int32Array) => void;
  readonly afterRun?: (vectors: Float32Array) => void;
}

/** Answers requests one after the other; a second may wait here while the first runs. */
export function serve(port: MessagePort, seams: Seams = {}): void {
  let session: Session | undefined;
  let last: Promise<void> = Promise.resolve();

  async function load(request: LoadRequest): Promise<Answer> {
    session = await Session.load(await loadOnnx(), request, seams.layout);
    const { pooled, rows } = session.graph;
    const loaded = { id: request.id, kind: "loaded", pooled } as const;
    return rows === undefined ? loaded : { ...loaded, rows };
  }

  async function run({ id, ids, lengths, cancelled }: RunRequest): Promise<Answer> {
    if (Atomics.load(cancelled, 0) !== 0) throw new ProblemError("cancelled", "Nobody waits.");
    if (session === undefined) throw new ProblemError("run", "No model is loaded.");
    seams.beforeRun?.(ids, lengths);
    const start = performance.now();
    const values = await session.run(ids, lengths);
    const milliseconds = performance.now() - start;
    seams.afterRun?.(values);
    return { id, kind: "vectors", values, milliseconds };
  }

  async function close(id: number): Promise<Answer> {
    const closing = session;
    session = undefined;
    await closing?.release();
    return { id, kind: "closed" };
  }

  async function answer(request: Request): Promise<void> {
    const answered = await answerTo(request).catch((error: unknown) => failed(request.id, error));
    port.postMessage(answered, answered.kind === "vectors" ? [answered.values.buffer] : []);
    if (request.kind === "close") port.close();
  }

  function answerTo(request: Request): Promise<Answer> {
    if (request.kind === "load") return load(request);
    return request.kind === "run" ? run(request) : close(request.id);
  }

  port.on("message", (request: Request) => {
    last = last.then(() => answer(request));
  });
}

function failed(id: number, error: unknown): Answer {
  const message = error instanceof Error ? error.message : String(error);
  const unnamed = isOutOfMemory(message) ? "memory" : "run";
  const problem = error instanceof ProblemError ? error.problem : unnamed;
  return { id, kind: "failed", problem, message };
}
