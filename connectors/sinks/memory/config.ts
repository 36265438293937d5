import { z } from "zod";

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
  fields: z
    .record(z.string(), z.string().min(1))
    .default({})
    .meta({ description: "Give a field another name, as in stores that have columns." }),
  omit: z.array(z.string()).default([]).meta({
    description:
      "Leave fields out. `id`, `vector`, `document`, `source`, `pipeline`, `fingerprint` and `revision` always stay.",
  }),
});

export type MemoryConfig = z.output<typeof memoryConfig>;
