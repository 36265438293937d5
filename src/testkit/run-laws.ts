import { AssertionError } from "node:assert";
import type { Law } from "./law.ts";

const defaultTimeoutMs = 15_000;

/** What a test runner offers; that of vitest, node:test, mocha and jest will do. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

export interface RegisterOptions {
  /** The heading under which the laws stand; `laws` when left out. */
  readonly title?: string;
  /** How long one law may take; 15 seconds when left out. */
  readonly timeoutMs?: number;
}

/** Registers one test per law with a test runner. */
export function registerLaws(
  laws: readonly Law[],
  runner: TestRunner,
  options: RegisterOptions = {},
): void {
  runner.describe(options.title ?? "laws", () => {
    for (const law of laws) runner.it(law.name, () => runLaw(law, options));
  });
}

/** Runs one law with its cleanups. Rejects when the law is broken, or does not end in time. */
export async function runLaw(law: Law, options: { readonly timeoutMs?: number } = {}) {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const controller = new AbortController();
  const cleanups: (() => unknown)[] = [];
  const context = {
    signal: controller.signal,
    defer: (cleanup: () => unknown) => void cleanups.push(cleanup),
  };
  try {
    await within(timeoutMs, `The law "${law.name}"`, law.run(context));
  } finally {
    controller.abort(new Error(`The law "${law.name}" is over.`));
    for (const cleanup of cleanups.toReversed()) await cleanup();
  }
}

/** A broken law and how it broke. */
export interface BrokenLaw {
  readonly name: string;
  readonly error: unknown;
}

/** Runs laws one after the other and gives those that do not hold; for tools and for tests of the laws. */
export async function brokenLaws(
  laws: readonly Law[],
  options: { readonly timeoutMs?: number } = {},
): Promise<BrokenLaw[]> {
  const broken: BrokenLaw[] = [];
  for (const law of laws) {
    try {
      await runLaw(law, options);
    } catch (error) {
      broken.push({ name: law.name, error });
    }
  }
  return broken;
}

/** Rejects when the promise takes longer; the promise itself goes on. */
export async function within<Value>(
  timeoutMs: number,
  what: string,
  promise: Promise<Value>,
): Promise<Value> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new AssertionError({ message: `${what} did not end within ${timeoutMs} ms.` }));
  }, timeoutMs);
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
