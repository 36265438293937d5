import type { Clock } from "../../../../src/contracts/index.ts";
import { assert, Fault } from "../../../../src/faults/index.ts";
import { batchOf } from "./batch.ts";
import type { GraphModel } from "./options.ts";
import type { Place } from "./place.ts";

/** Two vectors of one text are equal when their directions are this close, and their lengths within a hundredth. */
const leastCosine = 0.999;
const largestRatio = 0.01;
/** A GPU in software takes a hundred times as long as the CPU that it runs on; a small real one about as long. */
const slowest = 3;

/** The vectors of the test's rows, each computed alone. */
export type Reference = readonly Float32Array[];

/** Checks what whoever opens the runtime hands over to test it with. */
export function checkSelfTest(rows: readonly Int32Array[]): void {
  const isTest = rows.length > 0 && rows.every((row) => row.length > 0);
  assert(isTest, "The self-test wants rows, and none without tokens.");
}

/** Computes the rows one by one. */
export async function singles(
  place: Place,
  rows: readonly Int32Array[],
  signal: AbortSignal,
): Promise<Reference> {
  const vectors: Float32Array[] = [];
  for (const row of rows) vectors.push(await place.run(batchOf([row]), signal, 1));
  return vectors;
}

/** Refuses a device that gives a text other vectors in company than alone. Gives those of the rows alone. */
export async function checkPadding(
  place: Place,
  rows: readonly Int32Array[],
  model: GraphModel,
  signal: AbortSignal,
): Promise<Reference> {
  const alone = await singles(place, rows, signal);
  if (!place.bounds.allow(rows.length, batchOf(rows).columns)) return alone;
  const together = await place.run(batchOf(rows), signal, 1);
  const split = rows.map((_, index) =>
    together.subarray(index * model.hidden, (index + 1) * model.hidden),
  );
  const difference = firstDifference(rows, split, alone);
  if (difference === undefined) return alone;
  throw new Fault(
    "embed.device",
    `On \`${place.name}\` a text of ${difference.tokens} tokens has another vector among longer ones than alone ` +
      `(${difference.what}): the model's file or the device does not respect padding. Choose another \`file\` or \`device\`.`,
  );
}

/** Refuses a device that computes other vectors than the CPU. */
export function checkAgainstCpu(
  place: Place,
  rows: readonly Int32Array[],
  found: Reference,
  expected: Reference,
): void {
  const difference = firstDifference(rows, found, expected);
  if (difference === undefined) return;
  throw new Fault(
    "embed.device",
    `\`${place.name}\` computes another vector than the CPU for a text of ${difference.tokens} tokens ` +
      `(${difference.what}). Choose another \`device\` or \`file\`, or update the driver.`,
  );
}

/** Refuses a device that takes far longer than the CPU, for whoever left the choice to us. */
export function checkSpeed(place: Place, milliseconds: number, onCpu: number): void {
  if (milliseconds <= slowest * onCpu) return;
  throw new Fault(
    "embed.device",
    `\`${place.name}\` takes ${milliseconds.toFixed(0)} ms for what the CPU does in ${onCpu.toFixed(0)} ms, and may be ` +
      "computed in software. Name it as `device` to use it all the same.",
  );
}

/** How long a device takes for all rows at once, in milliseconds. It has computed them before, and is warm. */
export async function timeTogether(
  place: Place,
  rows: readonly Int32Array[],
  clock: Clock,
  signal: AbortSignal,
): Promise<number> {
  const start = clock.monotonic();
  if (place.bounds.allow(rows.length, batchOf(rows).columns)) {
    await place.run(batchOf(rows), signal, 1);
  } else {
    await singles(place, rows, signal);
  }
  return clock.monotonic() - start;
}

function firstDifference(
  rows: readonly Int32Array[],
  found: Reference,
  expected: Reference,
): { readonly tokens: number; readonly what: string } | undefined {
  for (const [index, row] of rows.entries()) {
    const [vector, other] = [found[index], expected[index]];
    assert(vector !== undefined && other !== undefined, "A row of the self-test has no vector.");
    const what = differenceOf(vector, other);
    if (what !== undefined) return { tokens: row.length, what };
  }
  return undefined;
}

/** What differs between two vectors of one text; undefined when they are equal enough. */
export function differenceOf(vector: Float32Array, other: Float32Array): string | undefined {
  let product = 0;
  let square = 0;
  let otherSquare = 0;
  for (const [index, value] of vector.entries()) {
    const counterpart = other[index] ?? Number.NaN;
    product += value * counterpart;
    square += value * value;
    otherSquare += counterpart * counterpart;
  }
  const cosine = product / Math.sqrt(square * otherSquare);
  // Written so that what is no number differs.
  if (!(cosine > leastCosine)) return `cosine ${cosine.toFixed(4)}`;
  const ratio = Math.sqrt(square / otherSquare);
  if (!(Math.abs(ratio - 1) < largestRatio)) return `${ratio.toFixed(4)} times as long`;
  return undefined;
}
