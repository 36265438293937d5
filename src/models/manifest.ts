import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { errorCode } from "../flow/error-code.ts";
import { isSafePath } from "./safe-path.ts";

/** The file in a model's folder that says what the others are. */
export const manifestName = "sluice-model.json";

const manifestSchema = z.object({
  format: z.literal(1),
  /** As the model is called in pipeline files. */
  model: z.string(),
  /** Where the files came from: a repository of a hub. */
  repository: z.string(),
  revision: z.string(),
  /** What the revision was at; absent when it was copied from a folder that does not tell. */
  commit: z.string().optional(),
  /** When it was pulled, as ISO 8601. */
  pulled_at: z.string(),
  files: z.array(
    z.object({
      path: z.string().refine(isSafePath),
      size: z.int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});

export type Manifest = z.output<typeof manifestSchema>;
export type ManifestFile = Manifest["files"][number];

/** The manifest of a model's folder; undefined where there is none, or none that can be read. */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(join(folder, manifestName), "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError || /^(?:ENOENT|ENOTDIR)$/.test(errorCode(error)))
      return undefined;
    throw error;
  }
  const parsed = manifestSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
  await writeFile(join(folder, manifestName), text, { flush: true });
}
