import { Command } from "commander";
import type { ExitCode } from "../../engine/exit-code.ts";
import { completeCommands } from "../complete-commands.ts";
import { checkPipeline } from "../doctor-checks.ts";
import { duration } from "../format.ts";
import { meaningOf } from "../meaning-of.ts";
import { type PipelineCall, pipelineCommand } from "../pipeline-command.ts";
import type { Shell } from "../shell.ts";
import { worstOf } from "../worst-of.ts";

export function doctorCommand(shell: Shell): Command {
  const command = new Command("doctor").description(
    "Check every component for real, and say how to mend what fails.",
  );
  return pipelineCommand(shell, command, act);
}

async function act({ shell, pipeline, commandLine }: PipelineCall): Promise<ExitCode> {
  const { terminal, stop } = shell;
  const checks = await checkPipeline(pipeline, stop.signal);
  stop.signal.throwIfAborted();
  const { arch, platform, version } = process;
  terminal.document({
    ok: checks.every(({ fault }) => fault === undefined),
    node: version,
    platform: `${platform} ${arch}`,
    checks: checks.map(({ component, about, durationMs, notes, fault }) => ({
      component,
      ok: fault === undefined,
      about,
      duration_ms: durationMs,
      ...(notes.length === 0 ? {} : { notes: notes.map((note) => ({ ...note })) }),
      ...(fault === undefined
        ? {}
        : { code: fault.code, message: fault.message, remedy: meaningOf(fault.code) }),
    })),
  });
  terminal.line(`Node.js ${version}, ${platform} ${arch}`, "dim");
  for (const { component, about, durationMs, notes, fault } of checks) {
    const shown = about === "" ? "" : `  ${about}`;
    const verdict = fault === undefined ? "ok  " : "FAIL";
    terminal.line(
      `${verdict}  ${component}${shown}  (${duration(durationMs)})`,
      fault === undefined ? "green" : "red",
    );
    for (const { level, message } of notes) {
      terminal.line(`      ${message}`, level === "warning" ? "yellow" : "dim");
    }
    if (fault === undefined) continue;
    terminal.line(`      ${fault.code}: ${completeCommands(fault.message, commandLine)}`);
  }
  return worstOf(checks.map(({ exitCode }) => exitCode));
}
