/** What a family of models has in common, known without asking a server. */
export interface ModelFamily {
  /** The shortest prefix of a vector that the model's makers recommend; all models here are Matryoshka. */
  readonly min: number;
  /** The longest text in tokens, special tokens included. */
  readonly contextTokens: number;
  readonly tokenizer: "qwen3" | "unknown";
  /** Which token's state becomes the vector; not published for models that only a service runs. */
  readonly pooling?: "last-token";
  /** The id of the token that stands behind every text, and whose state is taken. */
  readonly endToken?: number;
  /** How a task and a query are put together; models without it take no instruction. */
  readonly queryFrame?: string;
  /** The task that the model's makers use by default. */
  readonly queryTask?: string;
}

/** Where files for ONNX Runtime are to be had, at a commit that does not move. */
export interface OnnxExport {
  readonly repository: string;
  readonly revision: string;
  /** The sha256 of files of that commit, by path, as published elsewhere than at the hub. */
  readonly sha256: Readonly<Record<string, string>>;
}

export interface CatalogModel extends ModelFamily {
  readonly id: string;
  /** Other names of exactly this model, in lower case. */
  readonly spellings: readonly string[];
  /** The length of its vectors. */
  readonly native: number;
  /** Rows of the embedding table: the ids of its tokens are below. */
  readonly vocabulary?: number;
  readonly parameters?: number;
  readonly onnx?: OnnxExport;
}

/** All sizes read 32 Ki tokens by their cards, whatever their `config.json` allows. */
export const qwen3Embedding = {
  min: 32,
  contextTokens: 32_768,
  tokenizer: "qwen3",
  pooling: "last-token",
  // `<|endoftext|>`, which is the padding token too; `eos_token` of tokenizer_config.json is another one.
  endToken: 151_643,
  // A line end, and no space after `Query:`; many libraries add one and lose quality.
  queryFrame: "Instruct: {task}\nQuery:{query}",
  queryTask: "Given a web search query, retrieve relevant passages that answer the query",
} as const satisfies ModelFamily;

/** OpenAI shortens these itself; 256 is the shortest length it has published results for. */
const openai = {
  min: 256,
  contextTokens: 8_191,
  tokenizer: "unknown",
} as const satisfies ModelFamily;

/** Every model of which the dimension is published, by dimension. */
export const catalog: readonly CatalogModel[] = [
  {
    ...qwen3Embedding,
    id: "Qwen/Qwen3-Embedding-0.6B",
    spellings: ["qwen3-embedding-0.6b", "qwen3-embedding:0.6b"],
    native: 1024,
    vocabulary: 151_669,
    parameters: 595_776_512,
    onnx: {
      repository: "onnx-community/Qwen3-Embedding-0.6B-ONNX",
      revision: "c25a394dd583836952667c12f008335071b3f43d",
      sha256: {
        "config.json": "66a10929782f3c9a3cd5dec90e2a95c60e05736134a63cd54479eeae80bed175",
        "tokenizer.json": "def76fb086971c7867b829c23a26261e38d9d74e02139253b38aeb9df8b4b50a",
        "tokenizer_config.json": "977648852447cb6587327ff3205b0a84cf2fc9f05621d6c8e88a497caafab2e1",
        "onnx/model_quantized.onnx":
          "87cd124e0ef1fd1f223ebc283efccbaeac386d0b08344701c46975d0657b591f",
      },
    },
  },
  {
    ...openai,
    id: "text-embedding-3-small",
    spellings: ["openai/text-embedding-3-small"],
    native: 1536,
  },
  {
    ...qwen3Embedding,
    id: "Qwen/Qwen3-Embedding-4B",
    spellings: ["qwen3-embedding-4b", "qwen3-embedding:4b"],
    native: 2560,
    vocabulary: 151_665,
    parameters: 4_021_774_336,
  },
  {
    ...openai,
    id: "text-embedding-3-large",
    spellings: ["openai/text-embedding-3-large"],
    native: 3072,
  },
  {
    ...qwen3Embedding,
    id: "Qwen/Qwen3-Embedding-8B",
    spellings: ["qwen3-embedding-8b", "qwen3-embedding:8b"],
    native: 4096,
    vocabulary: 151_665,
    parameters: 7_567_295_488,
  },
];

/** The model of exactly this name or spelling, whatever its capitals. */
export function catalogModel(name: string): CatalogModel | undefined {
  const wanted = name.toLowerCase();
  return catalog.find(
    ({ id, spellings }) => id.toLowerCase() === wanted || spellings.includes(wanted),
  );
}

/** The catalogued models that can give vectors of this length, smallest first. */
export function modelsReaching(dimension: number): readonly string[] {
  return catalog
    .filter((model) => model.min <= dimension && dimension <= model.native)
    .map((model) => model.id);
}
