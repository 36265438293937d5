import type { ExitCode } from "../engine/exit-code.ts";

/** From harmless to grave. */
const order: readonly ExitCode[] = [0, 10, 3, 4, 5, 2, 130, 1];

/** The gravest of several exit codes; 0 when there are none. */
export function worstOf(codes: readonly ExitCode[]): ExitCode {
  const worst = Math.max(0, ...codes.map((code) => order.indexOf(code)));
  return order[worst] ?? 0;
}
