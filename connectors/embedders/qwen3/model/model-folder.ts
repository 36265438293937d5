import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Fault } from "../../../../src/faults/index.ts";
import { TokenEncoder } from "../../../../src/tokenizer/index.ts";
import type { GraphModel } from "../runtime/index.ts";
import { chooseGraph } from "./choose-graph.ts";
import { contentHash } from "./content-hash.ts";
import { findExternalData } from "./external-data.ts";
import { readOnnxFile } from "./onnx-file.ts";

/** `config.json` of the model, as far as it matters; all sizes are bounded, as memory is taken by them. */
const modelConfig = z.object({
  hidden_size: z.int().min(1).max(65_536),
  num_hidden_layers: z.int().min(1).max(1_024),
  num_attention_heads: z.int().min(1).max(4_096),
  num_key_value_heads: z.int().min(1).max(4_096).optional(),
  head_dim: z.int().min(1).max(65_536).optional(),
  vocab_size: z.int().min(1).max(10_000_000),
  max_position_embeddings: z.int().min(1).max(100_000_000),
});

/** Where a model is, as configured. */
export interface ModelPlace {
  readonly name: string;
  readonly folder: string;
  /** The graph to take, relative to the folder; chosen when left out. */
  readonly file: string | undefined;
  /** What the name promises; undefined for names that are not known. */
  readonly native: number | undefined;
  /** No text may be longer, whatever the files say. */
  readonly contextTokens: number;
}

/** A model's files, read and checked. */
export interface ModelFolder {
  readonly graph: GraphModel;
  readonly encoder: TokenEncoder;
  /** What stands before and behind the ids of every text. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly contextTokens: number;
  /** Names the content. */
  readonly revision: string;
}

/** Reads a model's folder; rejects with `embed.model`, which names the file and what to do. The caller closes the encoder. */
export async function openModelFolder(
  place: ModelPlace,
  signal: AbortSignal,
): Promise<ModelFolder> {
  await checkFolder(place);
  const config = await readConfig(place);
  const path = await chooseGraph(place);
  const { size, externals } = await readOnnxFile(path);
  const data = await findExternalData(path, externals);
  const encoder = await TokenEncoder.open(join(place.folder, "tokenizer.json"), signal);
  try {
    const { before, after } = specialTokens(place, encoder);
    const largestId = Math.max(encoder.largestId, ...before, ...after);
    checkVocabulary(place, largestId, config.vocab_size);
    const { hidden_size: hidden, num_attention_heads: heads } = config;
    return {
      graph: {
        file: path,
        hidden,
        layers: config.num_hidden_layers,
        heads,
        kvHeads: config.num_key_value_heads ?? heads,
        headDim: config.head_dim ?? Math.floor(hidden / heads),
        padId: after.at(-1) ?? before[0] ?? 0,
        vocabulary: config.vocab_size,
      },
      encoder,
      before,
      after,
      contextTokens: Math.min(config.max_position_embeddings, place.contextTokens),
      revision: await contentHash(`${encoder.tokenizer.id} ${after.join()}`, { path, size }, data),
    };
  } catch (error) {
    await encoder.close();
    throw error;
  }
}

async function checkFolder({ name, folder }: ModelPlace): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw new Fault(
    "embed.model",
    `The model \`${name}\` is not in \`${folder}\`. Fetch it with \`sluice models pull ${name}\`, or set the embedder's ` +
      "`path` to the folder that has it.",
  );
}

async function readConfig(place: ModelPlace): Promise<z.output<typeof modelConfig>> {
  const path = join(place.folder, "config.json");
  const pull = `Fetch it again with \`sluice models pull ${place.name}\`.`;
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new Fault("embed.model", `The model's \`${path}\` cannot be read. ${pull}`, { cause });
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Fault("embed.model", `The model's \`${path}\` is not JSON. ${pull}`, { cause });
  }
  const parsed = modelConfig.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Fault(
      "embed.model",
      `The model's \`${path}\` does not describe a model that this embedder can run: ` +
        `\`${issue?.path.join(".") ?? ""}\`: ${issue?.message ?? ""}. Expected that of Qwen3-Embedding, or of its kind.`,
    );
  }
  const { hidden_size: hidden } = parsed.data;
  if (place.native !== undefined && hidden !== place.native) {
    throw new Fault(
      "embed.model",
      `The folder \`${place.folder}\` holds another model than \`${place.name}\`: its vectors have ${hidden} numbers, ` +
        `those of \`${place.name}\` ${place.native}. Correct \`model\` or \`path\`.`,
    );
  }
  return parsed.data;
}

function checkVocabulary(place: ModelPlace, largestId: number, vocabulary: number): void {
  if (largestId < vocabulary) return;
  throw new Fault(
    "embed.model",
    `The \`tokenizer.json\` in \`${place.folder}\` is that of another model: its ids go up to ${largestId}, the ` +
      `model knows those below ${vocabulary}. Fetch the model again with \`sluice models pull ${place.name}\`.`,
  );
}

/** Exactly what the post-processor adds or, where there is none, the token that ends every text of Qwen3-Embedding. */
function specialTokens(
  place: ModelPlace,
  { special, endOfText }: TokenEncoder,
): { readonly before: readonly number[]; readonly after: readonly number[] } {
  if (special !== undefined && special.before.length + special.after.length > 0) return special;
  if (endOfText !== undefined) return { before: [], after: [endOfText] };
  throw new Fault(
    "embed.model",
    `The \`tokenizer.json\` in \`${place.folder}\` says nothing of a token that ends a text, and has no \`<|endoftext|>\`: ` +
      "it is not that of an embedding model of this kind. Take the file that was published with the model.",
  );
}
