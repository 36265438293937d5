import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { type ExitCode, exitCodes } from "../../engine/exit-code.ts";
import { modelFolder } from "../../models/index.ts";
import type { Pulled, Supply } from "../../models/pull/pull-model.ts";
import { isPrecision, type Precision, precisions } from "../../models/precision.ts";
import { action, repeatable, usageFault } from "../command.ts";
import { bytes, countOf, duration } from "../format.ts";
import { PullProgress } from "./pull-progress.ts";
import type { Shell } from "../shell.ts";

interface PullOptions {
  readonly revision?: string;
  readonly precision: Precision;
  readonly file: readonly string[];
  readonly from?: string;
  readonly into?: string;
}

export function modelsPullCommand(shell: Shell): Command {
  return new Command("pull")
    .description("Fetch the files of a model from a hub, a mirror or a folder, and verify them.")
    .argument("<name>", "the model, such as Qwen/Qwen3-Embedding-0.6B, or a repository")
    .option("--revision <name>", "a commit, branch or tag (default: the pinned commit, or main)")
    .addOption(precisionOption("how the weights are kept"))
    .addOption(repeatable("--file <glob>", "only files that match; repeatable"))
    .option("--from <folder>", "take the files from this folder; needs no network")
    .option("--into <folder>", "put the files here, not into the cache")
    .action(
      action(shell, ([name, ...more], options: PullOptions) => {
        if (name === undefined || more.length > 0) throw usageFault("Name one model.");
        return pull(shell, name, options);
      }),
    );
}

/** `--precision`, for the commands that take it. */
export function precisionOption(description: string): Option {
  const names = Object.keys(precisions).join(", ");
  return new Option("--precision <name>", `${description}: ${names}`)
    .default("fp32")
    .argParser((text) => {
      if (isPrecision(text)) return text;
      throw new InvalidArgumentError(`It takes one of ${names}.`);
    });
}

async function pull(shell: Shell, name: string, options: PullOptions): Promise<ExitCode> {
  const { modelSource } = await import("../../models/pull/model-source.ts");
  const { pullModel } = await import("../../models/pull/pull-model.ts");
  const { Staging } = await import("../../models/pull/staging.ts");
  const { terminal, stop } = shell;
  const source = modelSource(name, options.revision);
  const { into, precision, file: patterns } = options;
  const folder = into === undefined ? modelFolder(source.model, source.revision) : resolve(into);
  const staging = await Staging.open(folder, process.env);
  const progress = new PullProgress(terminal);
  const started = performance.now();
  try {
    const supply = await supplyOf(shell, source, options);
    const wanted = { precision, patterns };
    const pulled = await pullModel(supply, wanted, staging, progress, stop.signal);
    progress.stop();
    report(shell, pulled, { ...options, verified: supply.verified, started });
    return exitCodes.done;
  } finally {
    progress.stop();
    staging.close();
  }
}

async function supplyOf(
  { terminal, stop }: Shell,
  source: Parameters<typeof import("../../models/pull/hub-supply.ts").hubSupply>[1],
  { from }: PullOptions,
): Promise<Supply> {
  if (from !== undefined) {
    const { folderSupply } = await import("../../models/pull/folder-supply.ts");
    return folderSupply(from, source);
  }
  const { Hub } = await import("../../models/pull/hub.ts");
  const { hubSupply } = await import("../../models/pull/hub-supply.ts");
  const hub = Hub.of(process.env, {
    onRetry: ({ code, message }, delayMs) =>
      terminal.note(`${code}: ${message} Trying again in ${duration(delayMs)}.`, "yellow"),
  });
  return hubSupply(hub, source, stop.signal);
}

interface Done {
  readonly from?: string;
  readonly verified: boolean;
  /** When it began, by the monotonic clock. */
  readonly started: number;
}

function report({ terminal }: Shell, pulled: Pulled, done: Done): void {
  const { folder, graph, fetched, manifest } = pulled;
  const { model, repository, revision, commit, files } = manifest;
  const size = files.reduce((sum, file) => sum + file.size, 0);
  terminal.document({
    model,
    repository,
    revision,
    commit,
    folder,
    graph,
    fetched,
    bytes: size,
    files,
  });
  if (fetched === 0) {
    terminal.line(`${model} is there already, and right: ${folder}`);
    return;
  }
  const whence = done.from === undefined ? repository : resolve(done.from);
  terminal.line(`${model} from ${whence}${commit === undefined ? "" : ` at ${commit}`}`, "green");
  const hashes = done.verified ? "sha256 verified" : "sha256 taken down, nothing to verify it by";
  const took = duration(performance.now() - done.started);
  terminal.line(`${countOf(files.length, "file")}, ${bytes(size)}, ${hashes}, in ${took}`);
  if (graph !== undefined) terminal.line(`ONNX file: ${graph}`);
  terminal.line(folder);
  if (graph === undefined) return;
  if (!isTakenUnasked(graph, files)) {
    terminal.note(`To use it, write \`file: ${graph}\` into the pipeline's embedder.`, "yellow");
  }
  if (/model(?:_fp16)?\.onnx$/.test(graph)) return;
  terminal.note(
    "Coarser weights may give other vectors: try it with `sluice models verify`.",
    "yellow",
  );
}

/** Whether the embedder takes this graph of these files when none is named: never a plain 8-bit or 4-bit one. */
function isTakenUnasked(graph: string, files: readonly { readonly path: string }[]): boolean {
  const others = files.filter(({ path }) => path.endsWith(".onnx") && path !== graph);
  return (
    /(?:^|\/)model\.onnx$/.test(graph) || (others.length === 0 && /_(?:fp16|q8)\.onnx$/.test(graph))
  );
}
