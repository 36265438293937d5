import { createHash } from "node:crypto";

/**
 * The key of an embedding: space (model, revision, prompts' identity), prompt and text, as 64 hexadecimal digits. The
 * lengths stand before the parts, so that no two triples hash the same bytes.
 */
export function cacheKey(space: string, prompt: string, text: string): string {
  const lengths = `${space.length} ${prompt.length} `;
  return createHash("sha256").update(`${lengths}${space}${prompt}${text}`).digest("hex");
}
