import { z } from "zod";

export const lexicalConfig = z.strictObject({
  native_dimension: z
    .int()
    .min(32)
    .max(16_384)
    .default(1024)
    .describe("The length of the vectors. Longer ones mix up fewer words; 32 is the shortest."),
});

export type LexicalConfig = z.output<typeof lexicalConfig>;
