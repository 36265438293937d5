import { z } from "zod";
import { keptFields } from "./layout.ts";

/** The keys of a sink's configuration that `createLayout` takes; `renaming` is the sentence about `fields`. */
export function layoutKeys(renaming: string) {
  const kept = keptFields.map((field) => `\`${field}\``);
  return {
    fields: z.record(z.string(), z.string().min(1)).default({}).meta({ description: renaming }),
    omit: z
      .array(z.string())
      .default([])
      .meta({
        description: `Leave fields out. ${kept.slice(0, -1).join(", ")} and ${kept.at(-1)} always stay.`,
      }),
  };
}
