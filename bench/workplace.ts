import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { closePipeline, run, type RunOptions, type RunSummary } from "../src/engine/index.ts";
import { loadPipeline } from "../src/load-pipeline.ts";

/** A temporary folder with documents below `docs`, a pipeline file, and what the runs make of them. */
export class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  readonly docs = join(this.folder, "docs");
  readonly file = join(this.folder, "sluice.yaml");

  /** Writes the pipeline file; the source reads everything below `docs`. */
  configure(options: { readonly embedder: string; readonly more?: string }): void {
    writeFileSync(
      this.file,
      [
        "version: 1",
        "name: bench",
        "sources:",
        '  docs: { type: files, root: ./docs, include: ["**/*"] }',
        `embedder: ${options.embedder}`,
        "sinks:",
        "  index: { type: lancedb, uri: ./index, collection: docs }",
        options.more ?? "",
      ].join("\n"),
    );
  }

  /** One run in this process; seconds of work after everything is loaded. */
  async run(
    options: RunOptions = {},
  ): Promise<{ readonly seconds: number; readonly summary: RunSummary }> {
    const pipeline = await loadPipeline(this.file);
    try {
      const started = performance.now();
      const { summary } = await run(pipeline, options);
      const seconds = (performance.now() - started) / 1000;
      if (summary.status !== "succeeded") {
        throw new Error(`The run ended ${summary.status}: ${summary.error?.message ?? "failures"}`);
      }
      return { seconds, summary };
    } finally {
      await closePipeline(pipeline);
    }
  }

  /** Forgets index, state and cache. */
  reset(): void {
    for (const name of ["index", ".sluice"]) {
      rmSync(join(this.folder, name), { recursive: true, force: true });
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The stub embedding server, in a process of its own. */
export class StubServer {
  readonly #process: ChildProcess;
  readonly url: string;

  constructor(child: ChildProcess, url: string) {
    this.#process = child;
    this.url = url;
  }

  static async start(...args: string[]): Promise<StubServer> {
    const script = fileURLToPath(new URL("embedding-server.ts", import.meta.url));
    const child = spawn(process.execPath, [script, ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const { url } = JSON.parse(line.toString()) as { readonly url: string };
    return new StubServer(child, url);
  }

  /** The embedder of a pipeline file that uses this server. */
  get embedder(): string {
    return `{ type: openai, url: "${this.url}", model: Qwen/Qwen3-Embedding-0.6B }`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin?.end();
    if (this.#process.exitCode === null) await once(this.#process, "exit");
  }
}
