import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const bin = fileURLToPath(new URL("../../../../bin/sluice.js", import.meta.url));

/** What a process of the command line left behind. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The one JSON document on stdout; throws when there is anything else. */
  json<T = Record<string, unknown>>(): T;
}

export interface Started {
  readonly process: ChildProcess;
  /** Resolves when stderr holds the text. */
  tells(text: string): Promise<void>;
  /** Resolves when stdout holds the text. */
  prints(text: string): Promise<void>;
  readonly ended: Promise<Outcome>;
}

/** A folder of its own for one test, in which `sluice` runs as a process. */
export class Workplace {
  readonly folder: string;
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(folder: string, environment: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.#environment = environment;
  }

  static async make(
    files: Readonly<Record<string, string>> = {},
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Workplace> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "sluice-cli-")));
    const place = new Workplace(folder, environment);
    for (const [path, text] of Object.entries(files)) await place.write(path, text);
    return place;
  }

  async write(path: string, text: string | Uint8Array): Promise<void> {
    const file = join(this.folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  remove(path: string): Promise<void> {
    return rm(join(this.folder, path), { recursive: true, force: true });
  }

  /** Runs a command to its end. */
  sluice(...given: readonly string[]): Promise<Outcome> {
    return this.start(...given).ended;
  }

  start(...given: readonly string[]): Started {
    const child = spawn(process.execPath, [bin, ...given], {
      cwd: this.folder,
      env: { PATH: process.env["PATH"], TMPDIR: tmpdir(), ...this.#environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const stdout = collect(child, "stdout");
    const stderr = collect(child, "stderr");
    const ended = once(child, "close").then(([code]): Outcome => {
      return {
        code,
        stdout: stdout.text(),
        stderr: stderr.text(),
        json: () => JSON.parse(stdout.text()),
      };
    });
    return { process: child, tells: stderr.holds, prints: stdout.holds, ended };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

function collect(child: ChildProcess, name: "stdout" | "stderr") {
  const stream = child[name];
  if (stream === null) throw new TypeError(`${name} is a pipe`);
  let held = "";
  const waiting = new Set<() => void>();
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    held += text;
    for (const look of waiting) look();
  });
  const holds = async (text: string): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      if (held.includes(text)) resolve();
    };
    const gone = (): void => reject(new Error(`${name} ended without ${text}:\n${held}`));
    waiting.add(look);
    stream.once("close", gone);
    look();
    await promise.finally(() => {
      waiting.delete(look);
      stream.off("close", gone);
    });
  };
  return { text: (): string => held, holds };
}

/** A pipeline over `docs` with the built-in embedder. */
export const offlinePipeline = `
name: handbook
sources:
  docs: { type: files, root: docs }
embedder: { type: lexical }
sinks:
  search: { type: lancedb, uri: .sluice/index, collection: handbook }
`;

/** Small documents, each about something of its own. */
export function documents(many: number): Record<string, string> {
  const names = Array.from({ length: many }, (_, index) => `docs/page-${index}.md`);
  return Object.fromEntries(
    names.map((name, index) => [name, `# Page ${index}\n\nThis page tells of topic${index}.\n`]),
  );
}
