import { Command } from "commander";
import { type ExitCode, exitCodes } from "../../engine/exit-code.ts";
import { count, countOf } from "../format.ts";
import { type PipelineCall, pipelineCommand } from "../pipeline-command.ts";
import type { PipelineOptions } from "../pipeline-options.ts";
import type { Shell } from "../shell.ts";

interface AdoptCommandOptions extends PipelineOptions {
  readonly sink: string;
}

export function adoptCommand(shell: Shell): Command {
  const command = new Command("adopt")
    .description("Rebuild lost state from a scan of a sink; embeds and writes no record.")
    .requiredOption("--sink <name>", "the sink whose records are taken over");
  return pipelineCommand(shell, command, act);
}

async function act({
  shell,
  pipeline,
  options,
  commandLine,
}: PipelineCall<AdoptCommandOptions>): Promise<ExitCode> {
  const { terminal, stop } = shell;
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
  terminal.note(`Next: \`${commandLine("run")}\``);
  return exitCodes.done;
}
