import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ggufFile, type GgufTensor, type GgufValue } from "./gguf.ts";
import { readOnnxWeights, type Weight } from "./onnx-weights.ts";

const fixture = fileURLToPath(new URL("../../test/fixtures/tiny-qwen3", import.meta.url));
/** The one of the fixture's graphs whose weights have their names. */
const graph = "onnx/model_kv_gqa.onnx";

/** What this reads of the model's `config.json`. */
interface ModelConfig {
  readonly num_hidden_layers: number;
  readonly max_position_embeddings: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly rms_norm_eps: number;
  readonly rope_theta: number;
}

/** What this reads of the model's `tokenizer.json`. */
interface TokenizerFile {
  readonly added_tokens: readonly { readonly id: number; readonly content: string }[];
  readonly model: {
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (readonly [string, string])[];
  };
}

/** Mistakes that published files of Qwen3-Embedding have had. */
export interface TinyModelMistakes {
  /** What every text ends with; null for nothing. */
  readonly end?: "<|endoftext|>" | "<|im_end|>" | null;
  readonly pooling?: "last" | "mean";
}

/** As llama.cpp numbers them. */
const poolings = { mean: 1, last: 3 } as const;

/** Writes the tests' tiny Qwen3-Embedding as llama.cpp reads models, with the settings of published files. */
export async function writeTinyModel(
  path: string,
  { end = "<|endoftext|>", pooling = "last" }: TinyModelMistakes = {},
): Promise<void> {
  const config = await readJson<ModelConfig>("config.json");
  const tokenizer = await readJson<TokenizerFile>("tokenizer.json");
  const weights = await readOnnxWeights(join(fixture, graph));
  const settings = {
    ...modelSettings(config),
    "qwen3.pooling_type": { uint32: poolings[pooling] },
    ...tokenizerSettings(tokenizer, end),
  };
  await writeFile(path, ggufFile(settings, tensors(config, weights)));
}

async function readJson<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(join(fixture, name), "utf8")) as T;
}

function modelSettings(config: ModelConfig): Record<string, GgufValue> {
  return {
    "general.architecture": { string: "qwen3" },
    "general.name": { string: "tiny-qwen3" },
    "qwen3.block_count": { uint32: config.num_hidden_layers },
    "qwen3.context_length": { uint32: config.max_position_embeddings },
    "qwen3.embedding_length": { uint32: config.hidden_size },
    "qwen3.feed_forward_length": { uint32: config.intermediate_size },
    "qwen3.attention.head_count": { uint32: config.num_attention_heads },
    "qwen3.attention.head_count_kv": { uint32: config.num_key_value_heads },
    "qwen3.attention.key_length": { uint32: config.head_dim },
    "qwen3.attention.value_length": { uint32: config.head_dim },
    "qwen3.attention.layer_norm_rms_epsilon": { float32: config.rms_norm_eps },
    "qwen3.rope.freq_base": { float32: config.rope_theta },
  };
}

function tokenizerSettings(
  { model, added_tokens }: TokenizerFile,
  end: string | null,
): Record<string, GgufValue> {
  const vocabulary = new Map(Object.entries(model.vocab).map(([token, id]) => [id, token]));
  for (const { id, content } of added_tokens) vocabulary.set(id, content);
  const special = new Set(added_tokens.map(({ id }) => id));
  const ids = [...vocabulary.keys()].toSorted((a, b) => a - b);
  const idOf = (token: string): number =>
    added_tokens.find(({ content }) => content === token)?.id ?? -1;
  const [normal, control] = [1, 3];
  return {
    "tokenizer.ggml.model": { string: "gpt2" },
    "tokenizer.ggml.pre": { string: "qwen2" },
    "tokenizer.ggml.tokens": { strings: ids.map((id) => vocabulary.get(id) ?? "") },
    "tokenizer.ggml.token_type": { int32s: ids.map((id) => (special.has(id) ? control : normal)) },
    "tokenizer.ggml.merges": { strings: model.merges.map((pair) => pair.join(" ")) },
    "tokenizer.ggml.eos_token_id": { uint32: idOf(end ?? "<|im_end|>") },
    "tokenizer.ggml.padding_token_id": { uint32: idOf("<|endoftext|>") },
    "tokenizer.ggml.add_bos_token": { boolean: false },
    "tokenizer.ggml.add_eos_token": { boolean: end !== null },
  };
}

/** What llama.cpp calls the tensors of a layer. */
const layerNames = {
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  attn_q_norm: "self_attn.q_norm",
  attn_k_norm: "self_attn.k_norm",
  ffn_norm: "post_attention_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
} as const;

function tensors(
  { num_hidden_layers }: ModelConfig,
  weights: ReadonlyMap<string, Weight>,
): GgufTensor[] {
  const take = (from: string, name: string): GgufTensor => {
    const weight = weights.get(`${from}.weight`);
    if (weight === undefined) throw new Error(`The graph has no weight \`${from}.weight\`.`);
    // The table of embeddings is looked up and not multiplied by.
    const turned = from === "embed_tokens" ? weight : transposed(weight);
    return { ...turned, name: `${name}.weight` };
  };
  const layers = Array.from({ length: num_hidden_layers }, (_, layer) =>
    Object.entries(layerNames).map(([name, from]) =>
      take(`layers.${layer}.${from}`, `blk.${layer}.${name}`),
    ),
  );
  return [take("embed_tokens", "token_embd"), ...layers.flat(), take("norm", "output_norm")];
}

/** ONNX multiplies by matrices of inputs × outputs, llama.cpp by outputs × inputs. */
function transposed(weight: Weight): Weight {
  const [rows = 0, columns] = weight.dimensions;
  if (columns === undefined) return weight;
  const numbers = new Float32Array(weight.numbers.length);
  for (const [at, number] of weight.numbers.entries()) {
    numbers[(at % columns) * rows + Math.floor(at / columns)] = number;
  }
  return { ...weight, dimensions: [columns, rows], numbers };
}
