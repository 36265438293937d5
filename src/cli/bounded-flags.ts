import { Option } from "commander";
import { wholeNumber } from "./command.ts";

const typed = "--allow-deletions";
const bounded = `${typed}-up-to`;

/** What `--allow-deletions=N` is to commander: with an optional value, it would swallow the FILE behind it. */
export function boundedDeletions(): Option {
  return new Option(`${bounded} <count>`).argParser(wholeNumber(0)).hideHelp();
}

/** The words of a command line, with `--allow-deletions=N` as the option of its own that it is to commander. */
export function withBoundedFlags(given: readonly string[]): string[] {
  const end = given.includes("--") ? given.indexOf("--") : given.length;
  return given.map((word, index) =>
    index < end && word.startsWith(`${typed}=`) ? word.replace(typed, bounded) : word,
  );
}

/** A message of commander's about an option, with the option as it was typed. */
export function asTyped(message: string): string {
  return message.replaceAll(`${bounded} <`, `${typed}=<`).replaceAll(bounded, typed);
}
