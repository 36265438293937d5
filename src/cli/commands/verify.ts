import { Command } from "commander";
import type { ExitCode, SinkVerdict } from "../../engine/index.ts";
import { repeatable } from "../command.ts";
import { count, table } from "../format.ts";
import { type PipelineCall, pipelineCommand } from "../pipeline-command.ts";
import type { PipelineOptions } from "../pipeline-options.ts";
import type { Shell } from "../shell.ts";

interface VerifyCommandOptions extends PipelineOptions {
  readonly repair?: boolean;
  readonly sink: readonly string[];
}

const columns = ["expected", "present", "missing", "orphaned", "stale", "repaired"] as const;

export function verifyCommand(shell: Shell): Command {
  const command = new Command("verify")
    .description(
      "Compare the state with every sink, record by record; exits with 3 when they differ.",
    )
    .option("--repair", "mend what differs")
    .addOption(repeatable("--sink <name>", "only this sink; repeatable"));
  return pipelineCommand(shell, command, act);
}

async function act({
  shell,
  pipeline,
  options,
  commandLine,
}: PipelineCall<VerifyCommandOptions>): Promise<ExitCode> {
  const { terminal, stop } = shell;
  const { verify } = await import("../../engine/verify.ts");
  const { sink, repair = false } = options;
  const { sinks, exitCode } = await verify(pipeline, {
    repair,
    signal: stop.signal,
    ...(sink.length === 0 ? {} : { sinks: sink }),
  });
  terminal.document({ sinks });
  const rows = Object.entries(sinks).map(([name, verdict]) => [name, ...cells(verdict)]);
  const [head = "", ...lines] = table([["sink", ...columns], ...rows]);
  terminal.line(head, "bold");
  for (const line of lines) terminal.line(line);
  if (exitCode === 0) terminal.note("State and sinks agree.", "green");
  else if (repair) terminal.warn("Some records could not be mended; look at `sluice status`.");
  else terminal.warn(`They differ. To mend: \`${commandLine("verify", "--repair")}\``);
  return exitCode;
}

function cells(verdict: SinkVerdict): string[] {
  return columns.map((column) => count(verdict[column]));
}
