/** Models whose width is published, smallest first; named when a collection asks for more than a model has. */
const catalog = [
  { id: "Qwen/Qwen3-Embedding-0.6B", native: 1024, min: 32, matryoshka: true },
  { id: "text-embedding-3-small", native: 1536, min: 256, matryoshka: true },
  { id: "Qwen/Qwen3-Embedding-4B", native: 2560, min: 32, matryoshka: true },
  { id: "text-embedding-3-large", native: 3072, min: 256, matryoshka: true },
  { id: "Qwen/Qwen3-Embedding-8B", native: 4096, min: 32, matryoshka: true },
] as const;

/** The catalogued models that can give vectors of this length, smallest first. */
export function modelsReaching(dimension: number): readonly string[] {
  return catalog
    .filter((model) => model.min <= dimension && dimension <= model.native)
    .map((model) => model.id);
}
