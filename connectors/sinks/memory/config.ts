import { z } from "zod";
import { layoutKeys } from "../../../src/records/layout-keys.ts";

/** The keys of a sink of type `memory`. */
export const memoryConfig = z.strictObject({
  collection: z
    .string()
    .min(1)
    .meta({ description: "Name the collection; sinks of one process that name it share it." }),
  create: z
    .strictObject({
      metric: z
        .enum(["cosine", "dot", "euclidean"])
        .default("cosine")
        .meta({ description: "Choose how vectors are compared: cosine, dot or euclidean." }),
    })
    .prefault({})
    .meta({
      description: "Say how to make the collection when it does not exist.",
      operational: true,
    }),
  ...layoutKeys("Give a field another name, as in stores that have columns."),
});

export type MemoryConfig = z.output<typeof memoryConfig>;
