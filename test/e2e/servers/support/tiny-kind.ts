import { existsSync, readFileSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ServerKind } from "../../../../scripts/servers/server-kind.ts";

/** How the small server behaves; `stubborn` does not end when asked to, `unwell` never gets ready. */
export type TinyMode = "serves" | "ends" | "unwell" | "stubborn";

const program = fileURLToPath(new URL("tiny-program.ts", import.meta.url));

/** A kind of server that is installed and started at once. */
export function tinyKind(mode: TinyMode = "serves"): ServerKind<"http"> {
  return {
    name: "tiny",
    version: "1.0.0",
    portNames: ["http"],
    program: "installed",
    installTakes: "no time",
    stopSignal: "SIGTERM",
    async install(folder) {
      await writeFile(join(folder, "installed"), "");
      await chmod(join(folder, "installed"), 0o755);
    },
    async launch({ scratch, ports }) {
      return { program: process.execPath, args: [program, mode, String(ports.http), scratch] };
    },
    async ready({ ports }, signal) {
      const { status } = await fetch(`http://127.0.0.1:${ports.http}`, { signal });
      if (status !== 200) throw new Error(`It answers with ${status}.`);
    },
    address: ({ http }) => `http://127.0.0.1:${http}`,
  };
}

/** What the small server says of itself. */
interface TinyAnswer {
  readonly pid: number;
  /** The process that it started. */
  readonly helper: number;
  readonly text: string;
}

export async function ask(address: string, put?: string): Promise<TinyAnswer> {
  const answer = await fetch(address, put === undefined ? {} : { method: "PUT", body: put });
  return (await answer.json()) as TinyAnswer;
}

/** Whether there is such a process, and it runs: one that has ended may wait for somebody to notice. */
export function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
  } catch {
    return false;
  }
  const status = `/proc/${processId}/stat`;
  return !existsSync(status) || !/\) Z /.test(readFileSync(status, "utf8"));
}
