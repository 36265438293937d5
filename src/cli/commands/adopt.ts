import { Command } from "commander";
import { type ExitCode, exitCodes } from "../../engine/exit-code.ts";
import { action } from "../command.ts";
import { count, countOf } from "../format.ts";
import { commandLine, type PipelineOptions, withPipelineOptions } from "../pipeline-options.ts";
import type { Shell } from "../shell.ts";
import { usePipeline } from "../use-pipeline.ts";

interface AdoptCommandOptions extends PipelineOptions {
  readonly sink: string;
}

export function adoptCommand(shell: Shell): Command {
  const command = new Command("adopt")
    .description("Rebuild lost state from a scan of a sink; embeds and writes no record.")
    .argument("[file]", "the pipeline file")
    .requiredOption("--sink <name>", "the sink whose records are taken over");
  return withPipelineOptions(command).action(
    action(shell, ([file], options: AdoptCommandOptions) => act(shell, file, options)),
  );
}

async function act(
  shell: Shell,
  file: string | undefined,
  options: AdoptCommandOptions,
): Promise<ExitCode> {
  const { terminal, stop } = shell;
  return usePipeline(shell, file, options, async (pipeline) => {
    const { adopt } = await import("../../engine/adopt.ts");
    const adopted = await adopt(pipeline, { sink: options.sink, signal: stop.signal });
    const { documents, records, incomplete } = adopted;
    terminal.document({ sink: options.sink, ...adopted });
    terminal.line(
      `${options.sink}: adopted ${countOf(documents, "document")} with ${countOf(records, "record")}`,
    );
    if (incomplete > 0) {
      terminal.note(`${count(incomplete)} of them are incomplete; the next run writes them again.`);
    }
    terminal.note(`Next: \`${commandLine("run", file, options)}\``);
    return exitCodes.done;
  });
}
