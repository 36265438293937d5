import { AssertionError } from "node:assert";
import { inspect, isDeepStrictEqual } from "node:util";
import { isFault } from "../faults/index.ts";
import type { FaultLike } from "../contracts/index.ts";
import { within } from "./run-laws.ts";

const promptMs = 1_000;

/** Fails unless both values are deeply and strictly equal. `what` names the received value. */
export function checkEqual(received: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(received, expected)) return;
  throw new AssertionError({
    message: `${what}: received ${show(received)}, expected ${show(expected)}.`,
    actual: received,
    expected,
    operator: "deepStrictEqual",
  });
}

/** Fails unless the condition holds. `expected` is a phrase. */
export function checkThat(
  condition: boolean,
  what: string,
  received: unknown,
  expected: string,
): asserts condition {
  if (condition) return;
  throw new AssertionError({
    message: `${what}: received ${show(received)}, expected ${expected}.`,
    actual: received,
    expected,
    operator: "checkThat",
  });
}

/** Fails unless both lists hold the same strings, in any order, each as often. */
export function checkSame(
  received: Iterable<string>,
  expected: Iterable<string>,
  what: string,
): void {
  const [left, right] = [[...received].toSorted(), [...expected].toSorted()];
  if (isDeepStrictEqual(left, right)) return;
  const missing = without(right, left);
  const surplus = without(left, right);
  throw new AssertionError({
    message:
      `${what}: received ${left.length}, expected ${right.length}; ` +
      `missing ${show(missing)}, surplus ${show(surplus)}.`,
    actual: left,
    expected: right,
    operator: "checkSame",
  });
}

/** Fails unless both vectors have the same length and the same float32 numbers. */
export function checkVector(
  received: Float32Array | undefined,
  expected: Float32Array,
  what: string,
): void {
  checkThat(received !== undefined, what, received, `a vector of ${expected.length} numbers`);
  checkEqual(received.length, expected.length, `${what}, its length`);
  for (const [index, number] of expected.entries()) {
    checkThat(received[index] === number, `${what}, number ${index}`, received[index], `${number}`);
  }
}

/** Waits for a rejection with a fault and gives it. `code` may be a whole code or a part up to its dot (`sink.`). */
export async function checkFault(
  promise: Promise<unknown>,
  what: string,
  code?: string,
): Promise<FaultLike> {
  const outcome = await outcomeOf(promise);
  checkThat("error" in outcome, what, show(outcome), "a rejection");
  const { error } = outcome;
  checkThat(isFault(error), what, error, "a `Fault`");
  const matches = code === undefined || error.code === code || prefixed(error.code, code);
  checkThat(matches, `${what}, the code of its fault`, error.code, `\`${code}\``);
  return error;
}

/** Waits for a rejection with anything. */
export async function checkRejects(promise: Promise<unknown>, what: string): Promise<unknown> {
  const outcome = await outcomeOf(promise);
  checkThat("error" in outcome, what, show(outcome), "a rejection");
  return outcome.error;
}

/** Fails when the promise does not settle within a second. Its outcome is given, not thrown. */
export async function checkPrompt<Value>(
  promise: Promise<Value>,
  what: string,
): Promise<Outcome<Value>> {
  return within(promptMs, what, outcomeOf(promise));
}

export type Outcome<Value> = { readonly value: Value } | { readonly error: unknown };

/** How a promise ended. */
export async function outcomeOf<Value>(promise: Promise<Value>): Promise<Outcome<Value>> {
  try {
    return { value: await promise };
  } catch (error) {
    return { error };
  }
}

/** All that a stream yields. */
export async function collect<Item>(stream: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** Yields the items one by one. */
export async function* streamOf<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  for (const item of items) yield item;
}

/** A signal that has aborted. */
export function abortedSignal(): AbortSignal {
  return AbortSignal.abort(new Error("The law aborts."));
}

function prefixed(code: string, prefix: string): boolean {
  return prefix.endsWith(".") && code.startsWith(prefix);
}

function without(list: readonly string[], other: readonly string[]): string[] {
  const left = Map.groupBy(other, (item) => item);
  return list.filter((item) => left.get(item)?.pop() === undefined).slice(0, 5);
}

function show(value: unknown): string {
  const text = inspect(value, { depth: 4, breakLength: Infinity, maxArrayLength: 12 });
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}

/** Two vectors of one text are alike from this cosine on; batches and padding shift the last digits. */
const alike = 0.999;

export function checkAlike(
  left: Float32Array | undefined,
  right: Float32Array | undefined,
  what: string,
): void {
  const similarity = cosine(left, right);
  checkThat(similarity >= alike, `the cosine of ${what}`, similarity, `${alike} or more`);
}

export function cosine(left: Float32Array | undefined, right: Float32Array | undefined): number {
  if (left === undefined || right === undefined || left.length !== right.length) return NaN;
  const dot = left.reduce((sum, number, index) => sum + number * (right[index] ?? NaN), 0);
  return dot / (Math.hypot(...left) * Math.hypot(...right));
}
