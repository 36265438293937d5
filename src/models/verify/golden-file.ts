import { readFile } from "node:fs/promises";
import { z } from "zod";
import { Fault } from "../../faults/index.ts";
import { errorCode } from "../../flow/error-code.ts";

const vector = z.array(z.number()).min(1);

const golden = z.object({
  /** What every query of `items` begins with. */
  query_prompt: z.string().default(""),
  tolerance: z.record(z.string(), z.object({ min_cosine: z.number() })).default({}),
  items: z
    .array(
      z.object({
        name: z.string(),
        /** The text of a query holds its prompt. */
        kind: z.enum(["document", "query"]),
        text: z.string(),
        vector,
      }),
    )
    .min(1),
  /** What known mistakes give for one of the items. */
  wrong: z
    .record(
      z.string(),
      z.object({
        what: z.string(),
        example: z.object({ name: z.string(), vector }).optional(),
      }),
    )
    .default({}),
});

/** Vectors that a reference implementation gave for texts, and those that known mistakes give. */
export type GoldenVectors = z.output<typeof golden>;

/** Reads a file of golden vectors; `docs/guide/models.md` has its shape. */
export async function readGoldenFile(path: string): Promise<GoldenVectors> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    const why = error instanceof SyntaxError ? "it is not JSON" : errorCode(error);
    throw new Fault("config.invalid", `The golden vectors \`${path}\` cannot be read (${why}).`);
  }
  const parsed = golden.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Fault(
    "config.invalid",
    `\`${path}\` holds no golden vectors: \`${issue?.path.join(".")}\`: ${issue?.message}.`,
  );
}
