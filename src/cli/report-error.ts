import { CommanderError } from "commander";
import { describeError } from "../config/redact.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "../engine/exit-code.ts";
import { isFault } from "../faults/index.ts";
import { asTyped } from "./bounded-flags.ts";
import type { Shell } from "./shell.ts";

/** Tells why a command failed, in its own form, and gives the exit code. */
export function reportError(shell: Shell, error: unknown): ExitCode {
  const { terminal, stop } = shell;
  if (error instanceof CommanderError) return reportUsage(shell, error);
  if (stop.signal.aborted && !isAssertion(error)) {
    tell(shell, "aborted", "Interrupted. It is safe to run again.");
    return exitCodes.interrupted;
  }
  if (isFault(error)) {
    tell(shell, error.code, error.message);
    if (terminal.verbose && error.cause !== undefined) {
      terminal.note(`cause: ${describeError(error.cause, terminal.redact)}`, "dim");
    }
    return exitCodeOf(error);
  }
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  tell(shell, "bug", `This is a bug in sluice, not in your setup: ${what}`);
  if (error instanceof Error && error.stack !== undefined) terminal.note(error.stack, "dim");
  terminal.note("Please report it with the lines above. What was settled is safe; run again.");
  return exitCodes.bug;
}

/** Help and version are no errors; everything else of commander's is a wrong command line. */
function reportUsage(shell: Shell, error: CommanderError): ExitCode {
  if (error.exitCode === 0) return exitCodes.done;
  const message = asTyped(error.message.replace(/^error: /, ""));
  const help = error.code === "commander.help";
  tell(shell, "config.invalid", help ? "Name a command." : message);
  if (!help)
    shell.terminal.note("`sluice --help` lists the commands, `sluice COMMAND --help` the options.");
  return exitCodes.usage;
}

function tell({ terminal }: Shell, code: string, message: string): void {
  if (terminal.json) terminal.failure({ code, message });
  terminal.error(code === "config.invalid" || code === "bug" ? message : `${code}: ${message}`);
}

function isAssertion(error: unknown): boolean {
  return error instanceof Error && error.name === "AssertionError";
}
