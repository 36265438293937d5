import { z } from "zod";
import { defaultInclude } from "./media-types.ts";

const pattern = z
  .string()
  .min(1)
  .max(1000)
  .refine((glob) => !/^(?:\/|[A-Za-z]:[\\/])/.test(glob), {
    message: "is matched against paths below `root`: it cannot be absolute",
  })
  .refine((glob) => !glob.split("/").includes(".."), {
    message: "is matched against paths below `root`: it cannot contain `..`",
  })
  .refine((glob) => !/^!(?!\()/.test(glob), {
    message: "cannot begin with `!`: name what to leave out under `exclude`",
  });

/** The configuration of the source `files`. */
export const filesConfig = z.strictObject({
  root: z
    .string()
    .min(1)
    .refine((path) => !path.includes("\0"), { message: "cannot contain a NUL character" })
    .meta({
      description:
        "Folder whose files are read; a relative path starts at the pipeline file's folder.",
    }),
  include: z
    .array(pattern)
    .min(1)
    .optional()
    .meta({
      description: `Read only files whose path below \`root\` matches one of these globs (default: \`${defaultInclude}\`, in any case). A hidden name, or \`node_modules\`, is matched only by a glob that names it.`,
    }),
  exclude: z.array(pattern).optional().meta({
    description:
      "Leave out what matches one of these globs; a folder that matches is left out with everything in it.",
  }),
  poll_interval_ms: z.number().int().min(100).max(86_400_000).default(60_000).meta({
    description:
      "With `--watch`, list the whole folder at least this often, for changes that the operating system does not report (network shares).",
    operational: true,
  }),
});
