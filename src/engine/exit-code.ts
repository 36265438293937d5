import type { FaultLike } from "../contracts/index.ts";

/** Exit codes of every command. */
export const exitCodes = {
  done: 0,
  bug: 1,
  usage: 2,
  failedDocuments: 3,
  refused: 4,
  unreachable: 5,
  somethingToDo: 10,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const refusals = new Set([
  "state.locked",
  "state.foreign",
  "state.corrupt",
  "state.network",
  "sink.foreign",
]);

/** The exit code of a command that ended with this fault. */
export function exitCodeOf(fault: FaultLike): ExitCode {
  if (fault.code.startsWith("config.") || fault.code === "package.missing") return exitCodes.usage;
  if (fault.code.startsWith("refused.") || refusals.has(fault.code)) return exitCodes.refused;
  if (fault.code === "aborted") return exitCodes.interrupted;
  return exitCodes.unreachable;
}
