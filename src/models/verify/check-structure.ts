import type { KnownModel } from "../known-model.ts";
import { type Check, right, skipped, wrong } from "./check.ts";
import { cosineOf, normOf } from "../../embedding/index.ts";
import type { Tolerance } from "./tolerance.ts";
import type { Witness } from "./witness.ts";

/** Texts of very different length, so that all but one are padded in a batch. */
export const mixedTexts = [
  "Water finds its own level.",
  "A sluice is a gate that controls the flow of water in a channel. It is raised to let the water through and lowered " +
    "to hold it back, by hand, by a winch or by a motor, and whoever keeps it has to know how much rain fell in the " +
    "hills, what the mills below need, and when the boats want to pass. ".repeat(2),
  "Hello world",
  "1",
  "How deep is the channel behind the second gate, and who measured it last?",
] as const;

/** What a text has in tokens that is published: two words and the end token. */
const countedText = "Hello world";
const countedTokens = 3;

/** The tokens that a server says it read show whether an end token is appended. */
export async function checkEndToken(
  witness: Witness,
  known: KnownModel | undefined,
): Promise<Check> {
  const name = "end token";
  if (known?.endToken === undefined) {
    return skipped(name, "it is not known how this model ends texts");
  }
  if (witness.model.prompts.document !== "") {
    return skipped(name, "documents are dressed, so tokens cannot be compared");
  }
  const tokens = await witness.tokensOf(countedText);
  if (tokens === undefined || tokens === 0)
    return skipped(name, "the embedder does not tell tokens");
  const detail = `\`${countedText}\` has ${tokens} tokens, expected ${countedTokens}`;
  if (tokens === countedTokens) return right(name, detail);
  return tokens < countedTokens
    ? wrong(name, detail, ["missing-end-token"])
    : wrong(name, detail, ["eos-twice", "im-end-after-eos", "document-instruction"]);
}

/** One text gives one vector, and another text another one. */
export async function checkDistinct(witness: Witness, { sameText }: Tolerance): Promise<Check> {
  const name = "same text, same vector";
  const [text, other] = [mixedTexts[4], mixedTexts[0]];
  const first = await witness.alone(text);
  const [again = first] = await witness.together([text]);
  const same = cosineOf(first, again);
  if (same < sameText) {
    return wrong(name, `the same text twice: cosine ${shown(same)}`, ["other-model"]);
  }
  const apart = cosineOf(first, await witness.alone(other));
  const detail = `the same text twice: cosine ${shown(same)}; two texts: ${shown(apart)}`;
  if (apart > 0.9999) return wrong(name, detail, ["first-token-pooling", "truncated-text"]);
  return right(name, detail);
}

/** A text's vector does not depend on what is in its batch, nor on its place there. */
export async function checkBatches(witness: Witness, tolerance: Tolerance): Promise<Check[]> {
  const names = ["padding", "order"] as const;
  const texts = mixedTexts.slice(0, witness.batch);
  if (texts.length < 2) {
    return names.map((name) => skipped(name, "the embedder takes one text at a time"));
  }
  const alone: Float32Array[] = [];
  for (const text of texts) alone.push(await witness.alone(text));
  const straight = await witness.together(texts);
  const turned = (await witness.together(texts.toReversed())).toReversed();
  const order = [straight, turned].flatMap((vectors) => misplaced(vectors, alone, tolerance));
  const mixed = order.length > 0;
  const lowest = Math.min(
    ...[straight, turned].flatMap((vectors) =>
      vectors.map((vector, index) => cosineOf(vector, alone[index] ?? vector)),
    ),
  );
  const detail = `texts of ${texts.length} lengths, in one batch against alone: lowest cosine ${shown(lowest)}`;
  return [
    mixed
      ? skipped("padding", "vectors do not come in the order of the texts")
      : lowest >= tolerance.sameText
        ? right("padding", detail)
        : wrong("padding", detail, [
            "left-padding",
            "right-padding-last-place",
            "padding-without-mask",
          ]),
    mixed
      ? wrong("order", order[0] ?? "", ["other-order"])
      : right("order", "each vector is its own text's, forwards and backwards"),
  ];
}

/** Vectors that are another text's. */
function misplaced(
  vectors: readonly Float32Array[],
  alone: readonly Float32Array[],
  { sameText }: Tolerance,
): string[] {
  return vectors.flatMap((vector, index) => {
    const own = alone[index];
    if (own === undefined || cosineOf(vector, own) >= sameText) return [];
    const other = alone.findIndex((known) => cosineOf(vector, known) >= sameText);
    return other < 0 ? [] : [`the text at place ${index + 1} got the vector of place ${other + 1}`];
  });
}

/** A vector that a server has shortened has length 1 again. */
export async function checkShortened(
  witness: Witness,
  known: KnownModel | undefined,
  full: Witness | undefined,
  { sameText }: Tolerance,
): Promise<Check> {
  const name = "shortened vectors";
  const { native } = witness.model.dimensions;
  if (known?.native === undefined || native >= known.native) {
    return skipped(name, "sluice shortens vectors itself, from the full ones");
  }
  const vector = await witness.alone(mixedTexts[4]);
  const length = normOf(vector);
  const measured = `the server's ${native} numbers of ${known.native} have length ${length.toFixed(4)}, expected 1`;
  if (Math.abs(length - 1) > 0.01) return wrong(name, measured, ["normalise-before-slice"]);
  if (full === undefined) return right(name, measured);
  const slice = cosineOf(vector, await full.alone(mixedTexts[4]), native);
  const detail = `${measured}; against the full vector's beginning: cosine ${shown(slice)}`;
  return slice >= sameText ? right(name, detail) : wrong(name, detail, ["other-model"]);
}

export function shown(value: number): string {
  return value.toFixed(6);
}
