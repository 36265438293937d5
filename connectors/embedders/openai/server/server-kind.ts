/** The products whose differences are known. */
export const serverKinds = [
  "sglang",
  "vllm",
  "tei",
  "ollama",
  "llama.cpp",
  "infinity",
  "openai",
] as const;

export type ServerKind = (typeof serverKinds)[number];

/** How people call them. */
export const serverNames: Readonly<Record<ServerKind, string>> = {
  sglang: "SGLang",
  vllm: "vLLM",
  tei: "TEI",
  ollama: "Ollama",
  "llama.cpp": "llama.cpp",
  infinity: "Infinity",
  openai: "OpenAI",
};

/** What a server says of itself. Everything that it leaves open is absent. */
export interface ServerFacts {
  /** The product: as configured, or as it was recognised. */
  readonly kind?: ServerKind;
  /** What it was recognised as, when the configuration says otherwise. */
  readonly looksLike?: ServerKind;
  readonly version?: string;
  /** The most texts of one request. */
  readonly maxTexts?: number;
  /** The most texts of all requests under way. */
  readonly maxTextsInFlight?: number;
  /** The most tokens of one text, those that the model adds included. */
  readonly maxTokens?: number;
  /** The most tokens that it computes at once. */
  readonly batchTokens?: number;
  /** Texts that are too long are cut in silence instead of refused. */
  readonly cuts: boolean;
  /** The model that it has loaded and answers with, whatever a request names. */
  readonly serves?: string;
  /** It reads letters and their marks as they stand, where the tokenizers of most models compose them first (NFC). */
  readonly wantsComposed?: boolean;
}
