import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../../bin/sluice.js", import.meta.url));

/** What became of a process. */
export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `sluice run` as a process of its own. */
export interface RunProcess extends AsyncDisposable {
  readonly running: boolean;
  /** Resolves when the process and its pipes are gone. */
  readonly ended: Promise<Ended>;
  /** SIGKILL: nothing of the process runs any more once this resolves. */
  kill(): Promise<Ended>;
}

/** Starts `sluice run FILE --json` with more arguments. */
export function startRun(file: string, ...more: readonly string[]): RunProcess {
  const child = spawn(process.execPath, [program, "run", file, "--json", ...more], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
  }
  let running = true;
  child.once("exit", () => (running = false));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, ...output }));
  });
  const kill = (): Promise<Ended> => {
    child.kill("SIGKILL");
    return ended;
  };
  return {
    get running() {
      return running;
    },
    ended,
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
    },
  };
}
