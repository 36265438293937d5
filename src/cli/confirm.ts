import { createInterface } from "node:readline/promises";
import { Fault } from "../faults/index.ts";
import { usageFault } from "./command.ts";
import { plainLine } from "./plain-text.ts";
import type { Shell } from "./shell.ts";

/** Asks before something is destroyed, unless `--yes` was given; where nobody can be asked, it has to be. */
export async function confirm(
  shell: Shell,
  { yes }: { readonly yes?: boolean },
  question: string,
): Promise<boolean> {
  if (yes === true) return true;
  if (!shell.interactive) {
    throw usageFault(`${question} There is no terminal to ask on; to go ahead, add \`--yes\`.`);
  }
  const [answer = ""] = await ask(shell, [`${question} [y/N] `]);
  return /^y(?:es)?$/i.test(answer);
}

/** Asks questions on stderr, so that stdout stays the result's. Rejects when the user leaves. */
export async function ask(shell: Shell, questions: readonly string[]): Promise<string[]> {
  const { stdin: input, stderr: output } = process;
  const asking = createInterface({ input, output });
  asking.on("SIGINT", () => shell.stop.request());
  // Lines typed ahead are kept: each question takes the next one.
  const lines = asking[Symbol.asyncIterator]();
  const left = Promise.withResolvers<never>();
  left.promise.catch(() => undefined);
  const leave = (): void => left.reject(unanswered());
  shell.stop.signal.addEventListener("abort", leave, { once: true });
  try {
    const answers: string[] = [];
    for (const question of questions) {
      asking.setPrompt(plainLine(shell.terminal.redact(question)));
      asking.prompt();
      const next = await Promise.race([lines.next(), left.promise]);
      if (next.done === true) throw unanswered();
      answers.push(next.value.trim());
    }
    return answers;
  } finally {
    shell.stop.signal.removeEventListener("abort", leave);
    asking.close();
  }
}

function unanswered(): Fault {
  return new Fault("aborted", "Not answered; nothing was done.");
}
