import { z } from "zod";
import { secret } from "../../../src/contracts/index.ts";
import { layoutKeys } from "../../../src/records/layout-keys.ts";
import { defaultNamespace, markerNamespace } from "./limits.ts";

const printable = /^[\x21-\x7e]+$/;

/** What a field says of itself when it does not change what is made of a document. */
function operational(description: string) {
  return { description, operational: true };
}

function milliseconds(maximum: number) {
  return z.int().min(1).max(maximum);
}

/** An address to which no credentials and queries are added. */
const address = z
  .url({ protocol: /^https?$/, error: "expected an http or https address" })
  .refine((text) => !URL.canParse(text) || isPlain(new URL(text)), {
    error: "expected an address without user, password and query; the key goes into `api_key`",
  });

function isPlain({ username, password, search, hash }: URL): boolean {
  return username + password + search + hash === "";
}

const create = z
  .strictObject({
    metric: z.enum(["cosine", "dot", "euclidean"]).default("cosine").meta({
      description:
        "How vectors are compared: cosine, dot or euclidean. Vectors are normalised, so all three rank alike.",
    }),
    cloud: z
      .enum(["aws", "gcp", "azure"])
      .default("aws")
      .meta({ description: "The cloud that holds the index." }),
    region: z
      .string()
      .min(1)
      .default("us-east-1")
      .meta({ description: "The region of that cloud; your plan may allow only some." }),
    deletion_protection: z
      .boolean()
      .default(false)
      .meta({ description: "Keep everybody from deleting the index by mistake." }),
    tags: z
      .record(z.string().regex(/^[\w-]{1,80}$/), z.string().min(1).max(120))
      .default({})
      .meta({ description: "Tags of the index, for people and bills." }),
    indexed_metadata: z
      .enum(["all", "filterable"])
      .default("all")
      .meta({
        description:
          "`filterable` indexes only what filters can name, not texts: cheaper to write. Needs a `namespace`, which is " +
          "made with the index.",
      }),
    timeout_ms: milliseconds(3_600_000)
      .default(300_000)
      .meta({ description: "How long a new index may take to become ready." }),
  })
  .prefault({})
  .meta(operational("Say how to make the index when it does not exist."));

/** The keys of a sink of type `pinecone`. */
export const pineconeConfig = z
  .strictObject({
    api_key: secret("The API key of the project, such as `${PINECONE_API_KEY}`.")
      .trim()
      .regex(printable, "is empty, or holds characters that cannot be sent in a header")
      .meta({
        ...operational("The API key of the project, such as `${PINECONE_API_KEY}`."),
        secret: true,
      }),
    index: z
      .string()
      .max(45)
      .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, {
        error: "expected small letters, digits and `-`, 45 at most",
      })
      .meta({ description: "Name the index." }),
    namespace: z
      .string()
      .max(512)
      .regex(/^[\x20-\x7e]+$/, { error: "expected printable ASCII characters" })
      .refine((name) => name !== "." && name !== "..", { error: "expected a name, not a path" })
      .refine((name) => name !== markerNamespace, { error: "expected a name that is not sluice's" })
      .default(defaultNamespace)
      .meta({ description: "Name the namespace in the index; it is made by the first write." }),
    host: address.optional().meta({
      description:
        "The index's own address, if the key may not ask for it; then the index is neither looked up nor made.",
    }),
    control_url: address
      .optional()
      .meta(operational("Another address of Pinecone's control plane, such as a local emulator.")),
    create,
    timeout_ms: milliseconds(300_000)
      .default(30_000)
      .meta(operational("How long one request may take, answer included.")),
    visibility_timeout_ms: milliseconds(3_600_000)
      .default(30_000)
      .meta(operational("How long a write may take until it can be read.")),
    concurrency: z
      .int()
      .min(1)
      .max(64)
      .default(8)
      .meta(operational("How many writes are under way at once.")),
    ...layoutKeys("Give a field another metadata key, to fit what reads the index already."),
  })
  .superRefine(({ namespace, host, create: { indexed_metadata } }, context) => {
    if (indexed_metadata === "filterable" && namespace === defaultNamespace) {
      const message = "needs a `namespace`: that of the default namespace cannot be chosen";
      context.addIssue({ code: "custom", path: ["create", "indexed_metadata"], message });
    }
    if (host !== undefined && URL.canParse(host) && new URL(host).pathname !== "/") {
      const message = "expected an address without a path";
      context.addIssue({ code: "custom", path: ["host"], message });
    }
  });

export type PineconeConfig = z.output<typeof pineconeConfig>;
