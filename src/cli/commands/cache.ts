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
  const { cache, place, shown } = cacheOf(pipeline);
  const stats = await cache.stats();
  const { entries, bytes: size, maxBytes } = stats;
  const bound = maxBytes === undefined ? {} : { max_bytes: maxBytes };
  shell.terminal.document({ ...place, entries, bytes: size, ...bound });
  const room = maxBytes === undefined ? "" : ` of ${bytes(maxBytes)}`;
  shell.terminal.line(`${shown}: ${countOf(entries, "embedding")}, ${bytes(size)}${room}`);
  return exitCodes.done;
}

async function clearCache(call: PipelineCall<ClearOptions>): Promise<ExitCode> {
  const { shell, pipeline, options } = call;
  const { cache, place, shown } = cacheOf(pipeline);
  const { entries } = await cache.stats();
  const question = `Remove ${countOf(entries, "embedding")} from ${shown}, also those of other pipelines?`;
  if (!(await confirm(shell, options, question))) {
    shell.terminal.document({ ...place, removed: 0, confirmed: false });
    shell.terminal.note("Nothing was done.");
    return exitCodes.done;
  }
  await cache.clear();
  shell.terminal.document({ ...place, removed: entries });
  shell.terminal.line(`${shown}: removed ${countOf(entries, "embedding")}`);
  return exitCodes.done;
}

function cacheOf({ cache, config }: LoadedPipeline) {
  if (cache === undefined || config.cache.type === "none") {
    throw usageFault("This pipeline has no cache (`cache: { type: none }`).");
  }
  if (config.cache.type === "sqlite") {
    const { path } = config.cache;
    return { cache, place: { path }, shown: path };
  }
  // Credentials in it are hidden by the terminal.
  const { url, prefix } = config.cache;
  return { cache, place: { url, prefix }, shown: `${url} (${prefix}*)` };
}
