import { Script } from "node:vm";
import { Fault } from "../faults/index.ts";
import { errorCode } from "./error-code.ts";

const slot: unique symbol = Symbol.for("sluice.run-bounded");
const holder = globalThis as { [slot]?: (() => void) | undefined };

let entry: Script | undefined;

/**
 * Runs synchronous work and returns its result; throws `parse.timeout` when it takes longer than `timeoutMs`, also
 * when it never yields (an endless loop, a regular expression that backtracks for ever).
 *
 * The interruption unwinds the work without running its `catch` and `finally` blocks: throw away every object that the
 * work was changing. Calls may be nested; the shortest limit wins. Costs about 0.1 ms a call.
 */
export function runBounded<T>(work: () => T, timeoutMs: number): T {
  // Only code that a script calls is interrupted, and a script sees no closures: it finds the work in a global slot.
  entry ??= new Script(`globalThis[Symbol.for("sluice.run-bounded")]()`);
  let outcome: { readonly value: T } | undefined;
  const outer = holder[slot];
  holder[slot] = () => {
    outcome = { value: work() };
  };
  try {
    entry.runInThisContext({ timeout: Math.max(1, Math.ceil(timeoutMs)) });
  } catch (error) {
    if (errorCode(error) !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    throw new Fault(
      "parse.timeout",
      `Parsing did not finish within ${timeoutMs} ms and was interrupted. Exclude the document or raise the limit.`,
      { cause: error },
    );
  } finally {
    holder[slot] = outer;
  }
  if (outcome === undefined) throw new Error("The script ended without running the work.");
  return outcome.value;
}
