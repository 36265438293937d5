import { z } from "zod";

const file = z.object({
  added_tokens: z.array(z.object({ id: z.int().min(0) })).default([]),
  // A record of word pieces and byte pairs, a list of pairs where ids are places.
  model: z.object({
    vocab: z.custom<object>((value) => typeof value === "object" && value !== null),
  }),
});

/** The largest id that a `tokenizer.json` can give; undefined when it is no tokenizer. */
export function largestIdOf(json: unknown): number | undefined {
  const parsed = file.safeParse(json);
  if (!parsed.success) return undefined;
  const { vocab } = parsed.data.model;
  let largest = Array.isArray(vocab) ? vocab.length - 1 : -1;
  if (!Array.isArray(vocab)) {
    for (const id of Object.values(vocab)) if (typeof id === "number" && id > largest) largest = id;
  }
  for (const { id } of parsed.data.added_tokens) if (id > largest) largest = id;
  return largest < 0 ? undefined : largest;
}
