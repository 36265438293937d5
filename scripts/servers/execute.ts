import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { guardGroup } from "./guard.ts";

export interface ExecuteOptions {
  readonly timeoutMs: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** What to say when there is no such program. */
  readonly missing?: string;
}

/** Runs a program to its end and returns what it printed. Rejects with the end of its output when it fails. */
export async function execute(
  program: string,
  args: readonly string[],
  { timeoutMs, environment = {}, missing }: ExecuteOptions,
): Promise<string> {
  const line = [program, ...args].join(" ");
  const child = spawn(program, args, {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that what it starts ends with it.
    detached: true,
  });
  const group = child.pid;
  if (group !== undefined) guardGroup(group);
  let timedOut = false;
  const clock = setTimeout(() => {
    timedOut = true;
    if (group !== undefined) killGroup(group);
  }, timeoutMs);
  const ended = new Promise<string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(String(code ?? signal)));
  });
  try {
    const [end, output, errors] = await Promise.all([
      ended,
      text(child.stdout),
      text(child.stderr),
    ]);
    if (end === "0") return output;
    const reason = timedOut ? `was not over after ${timeoutMs / 1000} s` : `ended with ${end}`;
    throw new Error(`\`${line}\` ${reason}:\n${lastLines(`${output}\n${errors}`, 20)}`);
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (!isMissing) throw error;
    throw new Error(missing ?? `There is no program \`${program}\`.`, { cause: error });
  } finally {
    clearTimeout(clock);
    if (group !== undefined) guardGroup(group, false);
  }
}

/** Kills a process and all that it started; nothing happens when they are gone. */
export function killGroup(group: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    const isGone = error instanceof Error && "code" in error && error.code === "ESRCH";
    if (!isGone) throw error;
  }
}

/** The end of an output, for a message. */
export function lastLines(output: string, count: number): string {
  return output.trim().split("\n").slice(-count).join("\n");
}
