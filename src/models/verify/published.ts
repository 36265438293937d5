/** The texts of the example on the cards of all Qwen3-Embedding models. */
export const cardQueries = ["What is the capital of China?", "Explain gravity"] as const;
export const cardDocuments = [
  "The capital of China is Beijing.",
  "Gravity is a force that attracts two bodies towards each other. It gives weight to physical objects and is " +
    "responsible for the movement of planets around the sun.",
] as const;

/** What the example prints for each size: cosines of queries (rows) and documents (columns), in float32. */
const cardCosines: Readonly<Record<string, readonly (readonly number[])[]>> = {
  "Qwen/Qwen3-Embedding-0.6B": [
    [0.76456, 0.14143],
    [0.1355, 0.59995],
  ],
  "Qwen/Qwen3-Embedding-4B": [
    [0.7534, 0.1147],
    [0.032, 0.6258],
  ],
  "Qwen/Qwen3-Embedding-8B": [
    [0.7493, 0.07506],
    [0.08796, 0.63184],
  ],
};

/** Undefined for models whose cards print nothing that is known. */
export function publishedCosines(id: string): readonly (readonly number[])[] | undefined {
  return Object.hasOwn(cardCosines, id) ? cardCosines[id] : undefined;
}

export const slicedTexts = ["What is Deep Learning?", "Deep Learning is..."] as const;

/**
 * Cosines of the two texts by length of the vector, from vectors that the makers of a server keep for its tests: they
 * show whether slices are of the full vector.
 */
const sliceCosines: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  "Qwen/Qwen3-Embedding-0.6B": {
    1024: 0.9029,
    512: 0.9158,
    256: 0.9265,
    128: 0.9332,
    32: 0.9623,
  },
};

export function publishedSlices(id: string): Readonly<Record<number, number>> | undefined {
  return Object.hasOwn(sliceCosines, id) ? sliceCosines[id] : undefined;
}
