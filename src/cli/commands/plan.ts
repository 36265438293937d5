import { Command } from "commander";
import type { ExitCode, Plan } from "../../engine/index.ts";
import { repeatable } from "../command.ts";
import { type PipelineCall, pipelineCommand } from "../pipeline-command.ts";
import type { PipelineOptions } from "../pipeline-options.ts";
import { reportPlan } from "../plan-report.ts";
import type { Shell } from "../shell.ts";

interface PlanCommandOptions extends PipelineOptions {
  readonly check?: boolean;
  readonly full?: boolean;
  readonly source: readonly string[];
  readonly sink: readonly string[];
}

export function planCommand(shell: Shell): Command {
  const command = new Command("plan")
    .description("Ask every component for live truth and tell what a run would do; writes nothing.")
    .option("--check", "exit with 10 when there is something to do")
    .option("--full", "as if the run read every document again")
    .addOption(repeatable("--source <name>", "only this source; repeatable"))
    .addOption(repeatable("--sink <name>", "only this sink; repeatable"));
  return pipelineCommand(shell, command, act);
}

async function act({
  shell,
  pipeline,
  options,
  commandLine,
}: PipelineCall<PlanCommandOptions>): Promise<ExitCode> {
  const { terminal, stop } = shell;
  const { plan } = await import("../../engine/index.ts");
  const { full = false, source, sink, check } = options;
  if (!terminal.quiet)
    terminal.status("planning: listing the sources, chunking what is to be read");
  const outcome = await plan(pipeline, {
    full,
    signal: stop.signal,
    ...(source.length === 0 ? {} : { sources: source }),
    ...(sink.length === 0 ? {} : { sinks: sink }),
  }).finally(() => terminal.status(""));
  terminal.document(outcome.plan);
  reportPlan(terminal, outcome.plan, commandLine);
  for (const { message } of pipeline.cache?.news?.() ?? []) terminal.warn(`cache: ${message}`);
  return exitCode(outcome.plan, outcome.exitCode, check === true);
}

/** A refusal is told by its own code, also with `--check`. */
function exitCode(plan: Plan, code: ExitCode, check: boolean): ExitCode {
  return code === 0 && check && plan.to_do ? 10 : code;
}
