import { Command, InvalidArgumentError, Option } from "commander";
import type { ExitCode } from "../engine/exit-code.ts";
import { Fault } from "../faults/index.ts";
import type { Shell } from "./shell.ts";

/** Makes a commander action of a function that gives the exit code. */
export function action<Options extends object>(
  shell: Shell,
  act: (given: readonly string[], options: Options) => Promise<ExitCode>,
): (...parameters: unknown[]) => Promise<void> {
  return async (...parameters) => {
    const command = parameters.at(-1);
    if (!(command instanceof Command)) throw new TypeError("commander gives the command last");
    shell.exitCode = await act(command.args, command.opts<Options>());
  };
}

/** How commander is told of an empty default; taken out of the help again. */
export const noDefault = "none";

/** An option that may be given more than once; the values in order. */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, description)
    .default([], noDefault)
    .argParser((value: string, before: readonly string[]) => [...before, value]);
}

/** Parses a whole number of at least `min`, and at most `max`. */
export function wholeNumber(min: number, max = Infinity): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) {
      const end = max === Infinity ? "" : ` to ${max}`;
      throw new InvalidArgumentError(`It takes a whole number from ${min}${end}.`);
    }
    return value;
  };
}

/** A wrong use of the command line that commander cannot see. */
export function usageFault(message: string): Fault {
  return new Fault("config.invalid", message);
}

/** The pipeline file and the other argument of commands that are typed as `[FILE] THING`. */
export function fileAndLast(
  given: readonly string[],
  what: string,
): { readonly file: string | undefined; readonly last: string } {
  const [first, second, ...more] = given;
  if (first === undefined) throw usageFault(`Give ${what}.`);
  if (more.length > 0) {
    throw usageFault(`Too many arguments; put ${what} in quotes if it has spaces.`);
  }
  return second === undefined ? { file: undefined, last: first } : { file: first, last: second };
}
