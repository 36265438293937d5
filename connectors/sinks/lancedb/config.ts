import { z } from "zod";
import { layoutKeys } from "../../../src/records/layout-keys.ts";

const metricDescription =
  "How vectors are compared: cosine, dot or euclidean. Vectors are normalised, so all three rank alike.";

/** The keys of a sink of type `lancedb`. */
export const lancedbConfig = z.strictObject({
  uri: z
    .string()
    .min(1)
    .refine((uri) => !/^[a-z][a-z0-9+.-]+:\/\//i.test(uri), {
      error: "expected a local folder; object stores and LanceDB Cloud are not supported",
    })
    .meta({ description: "Name the folder of the database; it is made when needed." }),
  collection: z
    .string()
    .max(200)
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, {
      error: "expected letters, digits, `_`, `-` and `.`",
    })
    .meta({ description: "Name the table." }),
  create: z
    .strictObject({
      metric: z
        .enum(["cosine", "dot", "euclidean"])
        .default("cosine")
        .meta({ description: metricDescription }),
    })
    .prefault({})
    .meta({ description: "Say how to make the table when it does not exist.", operational: true }),
  ...layoutKeys("Give a field another column name, to fit an existing table."),
});

export type LancedbConfig = z.output<typeof lancedbConfig>;
