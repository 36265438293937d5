/** What is known of a model without asking a server. */
export interface KnownModel {
  /** Absent when the name leaves the size open (`qwen3-embedding:latest`). */
  readonly native?: number;
  /** The shortest prefix that the model's makers recommend. */
  readonly min: number;
  /** The longest text in tokens, special tokens included. */
  readonly contextTokens: number;
  readonly tokenizer: "qwen3" | "unknown";
  /** How a task and a query are put together; models without it take no instruction. */
  readonly queryFrame?: string;
  /** The task that the model's makers use by default. */
  readonly queryTask?: string;
}

/** Native dimensions of Qwen3-Embedding by size. All sizes are Matryoshka from 32 on and read 32 Ki tokens. */
const qwen3Native: Readonly<Record<string, number>> = { "0.6b": 1024, "4b": 2560, "8b": 4096 };

const qwen3 = {
  min: 32,
  contextTokens: 32_768,
  tokenizer: "qwen3",
  // A line end, and no space after `Query:`; many libraries add one and lose quality.
  queryFrame: "Instruct: {task}\nQuery:{query}",
  queryTask: "Given a web search query, retrieve relevant passages that answer the query",
} as const;

/** OpenAI shortens these itself; 256 is the shortest length it has published results for. */
const openai = { min: 256, contextTokens: 8_191, tokenizer: "unknown" } as const;

const openaiNative: Readonly<Record<string, number>> = {
  "text-embedding-3-small": 1536,
  "text-embedding-3-large": 3072,
};

/**
 * Recognises a model by its name in any of the spellings of servers and files: `Qwen/Qwen3-Embedding-0.6B`,
 * `qwen3-embedding:4b`, `Qwen3-Embedding-8B-Q8_0.gguf`, `openai/text-embedding-3-small`.
 */
export function knownModel(name: string): KnownModel | undefined {
  const short = name.slice(name.lastIndexOf("/") + 1).toLowerCase();
  const found = /^qwen3[-_]embedding(?:[-_:](0\.6b|4b|8b)(?![a-z0-9.]))?/.exec(short);
  if (found !== null) {
    const native = qwen3Native[found[1] ?? ""];
    return native === undefined ? qwen3 : { ...qwen3, native };
  }
  const native = openaiNative[short];
  return native === undefined ? undefined : { ...openai, native };
}
