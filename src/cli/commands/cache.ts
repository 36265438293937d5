import { Command } from "commander";
import { type ExitCode, exitCodes } from "../../engine/exit-code.ts";
import type { LoadedPipeline } from "../../load-pipeline.ts";
import { usageFault } from "../command.ts";
import { confirm } from "../confirm.ts";
import { bytes, countOf } from "../format.ts";
import { type PipelineCall, pipelineCommand } from "../pipeline-command.ts";
import type { PipelineOptions } from "../pipeline-options.ts";
import type { Shell } from "../shell.ts";

interface ClearOptions extends PipelineOptions {
  readonly yes?: boolean;
}

export function cacheCommand(shell: Shell): Command {
  const stats = new Command("stats").description("Tell how many embeddings the cache holds.");
  const clear = new Command("clear")
    .description(
      "Remove every embedding from the cache, also those of other pipelines that share it.",
    )
    .option("-y, --yes", "do not ask");
  return new Command("cache")
    .description("The embedding cache.")
    .addCommand(pipelineCommand(shell, stats, tellStats))
    .addCommand(pipelineCommand(shell, clear, clearCache));
}

async function tellStats({ shell, pipeline }: PipelineCall): Promise<ExitCode> {
  const { cache, path } = cacheOf(pipeline);
  const stats = await cache.stats();
  const { entries, bytes: size, maxBytes } = stats;
  shell.terminal.document({ path, entries, bytes: size, max_bytes: maxBytes });
  shell.terminal.line(
    `${path}: ${countOf(entries, "embedding")}, ${bytes(size)} of ${bytes(maxBytes)}`,
  );
  return exitCodes.done;
}

async function clearCache(call: PipelineCall<ClearOptions>): Promise<ExitCode> {
  const { shell, pipeline, options } = call;
  const { cache, path } = cacheOf(pipeline);
  const { entries } = await cache.stats();
  const question = `Remove ${countOf(entries, "embedding")} from ${path}, also those of other pipelines?`;
  if (!(await confirm(shell, options, question))) {
    shell.terminal.document({ path, removed: 0, confirmed: false });
    shell.terminal.note("Nothing was done.");
    return exitCodes.done;
  }
  await cache.clear();
  shell.terminal.document({ path, removed: entries });
  shell.terminal.line(`${path}: removed ${countOf(entries, "embedding")}`);
  return exitCodes.done;
}

function cacheOf({ cache, config }: LoadedPipeline) {
  if (cache === undefined || config.cache.type === "none") {
    throw usageFault("This pipeline has no cache (`cache: { type: none }`).");
  }
  return { cache, path: config.cache.path };
}
