import type { ExitCode } from "../engine/exit-code.ts";
import type { StopSignals } from "./stop-signals.ts";
import type { Terminal } from "./terminal.ts";

/** What every command gets from the process that it runs in. */
export interface Shell {
  readonly terminal: Terminal;
  readonly stop: StopSignals;
  /** The arguments as typed, for advice that names a command to type. */
  readonly arguments: readonly string[];
  /** Whether somebody can be asked. */
  readonly interactive: boolean;
  exitCode: ExitCode;
}
