import { createInterface } from "node:readline/promises";
import { plainLine } from "./plain-text.ts";
import type { Shell } from "./shell.ts";

/** Asks a yes-or-no question on a terminal; without one, who gave the option is taken at their word. */
export async function confirm(shell: Shell, question: string): Promise<boolean> {
  if (!shell.interactive) return true;
  const answer = await ask(shell, `${question} [y/N] `);
  return /^y(?:es)?$/i.test(answer.trim());
}

/** Asks on stderr, so that stdout stays the result's; an interrupted question rejects. */
export async function ask(shell: Shell, question: string): Promise<string> {
  const { stdin: input, stderr: output } = process;
  const asking = createInterface({ input, output });
  asking.on("SIGINT", () => shell.stop.request());
  try {
    return await asking.question(plainLine(question), { signal: shell.stop.signal });
  } finally {
    asking.close();
  }
}
