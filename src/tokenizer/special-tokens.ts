import { z } from "zod";

/** The ids that a model's tokenizer puts around every text. */
export interface SpecialTokens {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const id = z.int().min(0);

const template = z.object({
  type: z.literal("TemplateProcessing"),
  single: z.array(
    z.union([
      z.object({ Sequence: z.object({ id: z.string() }) }),
      z.object({ SpecialToken: z.object({ id: z.string() }) }),
    ]),
  ),
  special_tokens: z.record(z.string(), z.object({ ids: z.array(id) })),
});

const pair = z.object({
  type: z.enum(["BertProcessing", "RobertaProcessing"]),
  sep: z.tuple([z.string(), id]),
  cls: z.tuple([z.string(), id]),
});

const sequence = z.object({ type: z.literal("Sequence"), processors: z.array(z.unknown()) });

/**
 * The special tokens that the post-processor of a `tokenizer.json` adds; undefined when it has none. What
 * `tokenizer_config.json` says is of no account: its `eos_token` is that of chats.
 */
export function specialTokensOf(file: unknown): SpecialTokens | undefined {
  const parsed = z.object({ post_processor: z.unknown() }).safeParse(file);
  return parsed.success ? ofProcessor(parsed.data.post_processor) : undefined;
}

function ofProcessor(processor: unknown): SpecialTokens | undefined {
  const several = sequence.safeParse(processor);
  if (several.success) {
    return several.data.processors
      .map((one) => ofProcessor(one))
      .findLast((tokens) => tokens !== undefined);
  }
  const bert = pair.safeParse(processor);
  if (bert.success) return { before: [bert.data.cls[1]], after: [bert.data.sep[1]] };
  const filled = template.safeParse(processor);
  return filled.success ? ofTemplate(filled.data) : undefined;
}

function ofTemplate({ single, special_tokens: ids }: z.output<typeof template>): SpecialTokens {
  const before: number[] = [];
  const after: number[] = [];
  let side = before;
  for (const part of single) {
    if ("Sequence" in part) side = after;
    else side.push(...(ids[part.SpecialToken.id]?.ids ?? []));
  }
  return { before, after };
}
