import { reportError } from "./report-error.ts";
import { runProgram } from "./program.ts";
import type { Shell } from "./shell.ts";
import { hideSqliteWarning } from "./sqlite-warning.ts";
import { StopSignals } from "./stop-signals.ts";
import { Terminal } from "./terminal.ts";

const { argv, env, stdin, stdout, stderr } = process;
const stop = new StopSignals();
const terminal = new Terminal({ stdout, stderr, environment: env });
const given = argv.slice(2);
const interactive = stdin.isTTY && stderr.isTTY;
const shell: Shell = { terminal, stop, arguments: given, interactive, exitCode: 0 };

/** Ends the process only when all output has left it: connectors may keep handles open. */
async function leave(): Promise<never> {
  await terminal.flush();
  process.exit(shell.exitCode);
}

process.on("uncaughtException", (error) => {
  shell.exitCode = reportError(shell, error);
  void leave();
});
hideSqliteWarning(process);
stop.listen();
try {
  await runProgram(shell);
} catch (error) {
  shell.exitCode = reportError(shell, error);
}
await leave();
