import { catalog, type CatalogModel, type ModelFamily, qwen3Embedding } from "./catalog.ts";

/** A catalogued model; only its family when the name leaves the size open (`qwen3-embedding:latest`). */
export type KnownModel = ModelFamily & Partial<CatalogModel>;

/**
 * Recognises a model by its name in any of the spellings of servers and files: `Qwen/Qwen3-Embedding-0.6B`,
 * `qwen3-embedding:4b`, `Qwen3-Embedding-8B-Q8_0.gguf`, `openai/text-embedding-3-small`.
 */
export function knownModel(name: string): KnownModel | undefined {
  const short = name.slice(name.lastIndexOf("/") + 1).toLowerCase();
  const found = /^qwen3[-_]embedding(?:[-_:](0\.6b|4b|8b)(?![a-z0-9.]))?/.exec(short);
  if (found === null) return catalog.find(({ id }) => id === short);
  const size = found[1];
  if (size === undefined) return qwen3Embedding;
  return catalog.find(({ spellings }) => spellings.includes(`qwen3-embedding-${size}`));
}
