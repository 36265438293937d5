import type { KnownModel } from "../known-model.ts";
import { type Check, right, skipped, wrong } from "./check.ts";
import { framed } from "./check-prompts.ts";
import { cosineOf } from "../../embedding/index.ts";
import {
  cardDocuments,
  cardQueries,
  publishedCosines,
  publishedSlices,
  slicedTexts,
} from "./published.ts";
import type { Tolerance } from "./tolerance.ts";
import type { Witness } from "./witness.ts";

const name = "published cosines";

/** Compares with what the model's card prints, at full width. Queries are dressed here, so only the model is judged. */
export async function checkPublished(
  witness: Witness,
  known: KnownModel | undefined,
  tolerance: Tolerance,
): Promise<Check> {
  const expected = known?.id === undefined ? undefined : publishedCosines(known.id);
  if (known === undefined || expected === undefined) {
    return skipped(name, "none are known of this model");
  }
  const { dimensions, prompts } = witness.model;
  if (dimensions.native !== known.native) {
    return skipped(
      name,
      `vectors have ${dimensions.native} numbers, the published ones ${known.native}`,
    );
  }
  if (prompts.document !== "") return skipped(name, "documents are dressed");
  const measured = await cardMatrix(witness, known, "");
  const furthest = distance(measured, expected);
  const detail =
    `${matrix(measured)}, published for ${known.id}: ${matrix(expected)}; furthest ${furthest.toFixed(4)}, ` +
    `allowed ${tolerance.published}`;
  if (furthest <= tolerance.published) return right(name, detail);
  return wrong(name, detail, [
    "missing-end-token",
    "mean-pooling",
    "first-token-pooling",
    "im-end-in-place-of-eos",
    "other-model",
  ]);
}

/** Whether the published cosines come out when every text is given this ending. */
export async function publishedWith(
  witness: Witness,
  known: KnownModel,
  ending: string,
  tolerance: Tolerance,
): Promise<boolean> {
  const expected = known.id === undefined ? undefined : publishedCosines(known.id);
  if (expected === undefined) return false;
  return distance(await cardMatrix(witness, known, ending), expected) <= tolerance.published;
}

/** Slices of the full vector have the published cosines, too. */
export async function checkSlices(
  witness: Witness,
  known: KnownModel | undefined,
  tolerance: Tolerance,
): Promise<Check> {
  const expected = known?.id === undefined ? undefined : publishedSlices(known.id);
  const { dimensions, prompts } = witness.model;
  if (expected === undefined || dimensions.native !== known?.native || prompts.document !== "") {
    return skipped("slices", "no cosines of slices are known of this model at this length");
  }
  const [one, other] = [await witness.alone(slicedTexts[0]), await witness.alone(slicedTexts[1])];
  const rows = Object.entries(expected).map(([length, value]) => {
    return { length, value, measured: cosineOf(one, other, Number(length)) };
  });
  const furthest = Math.max(...rows.map(({ value, measured }) => Math.abs(value - measured)));
  const told = rows.map(({ length, value, measured }) => {
    return `${length}: ${measured.toFixed(4)} (${value})`;
  });
  const detail = `cosine by length, published in brackets: ${told.join(", ")}`;
  if (furthest <= tolerance.published) return right("slices", detail);
  return wrong("slices", detail, ["missing-end-token", "mean-pooling", "other-model"]);
}

async function cardMatrix(
  witness: Witness,
  known: KnownModel,
  ending: string,
): Promise<readonly (readonly number[])[]> {
  const documents: Float32Array[] = [];
  for (const text of cardDocuments) documents.push(await witness.alone(text + ending));
  const rows: number[][] = [];
  for (const query of cardQueries) {
    const vector = await witness.alone(framed(known, query) + ending);
    rows.push(documents.map((document) => cosineOf(vector, document)));
  }
  return rows;
}

function distance(
  measured: readonly (readonly number[])[],
  expected: readonly (readonly number[])[],
): number {
  const differences = measured.flatMap((row, y) =>
    row.map((value, x) => Math.abs(value - (expected[y]?.[x] ?? Number.NaN))),
  );
  return Math.max(...differences);
}

function matrix(rows: readonly (readonly number[])[]): string {
  const lines = rows.map((row) => `[${row.map((value) => value.toFixed(4)).join(", ")}]`);
  return `[${lines.join(", ")}]`;
}
