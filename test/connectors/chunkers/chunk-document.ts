import type {
  Block,
  ChunkDraft,
  Chunker,
  Connector,
  ConnectorContext,
} from "../../../src/contracts/index.ts";
import { systemClock } from "../../../src/flow/index.ts";
import { qwen3Tokenizer } from "../../../src/tokenizer/index.ts";

const context: ConnectorContext = {
  name: "chunker",
  pipeline: "test",
  folder: "/",
  clock: systemClock,
  fields: {},
};

/** A chunker made from its configuration as it stands in a pipeline file. */
export function chunkerOf<Config>(
  connector: Connector<"chunker", Config>,
  config: unknown = {},
): Chunker {
  return connector.create(connector.config.parse(config), context);
}

export async function* stream<T>(items: Iterable<T>): AsyncGenerator<T, void, undefined> {
  yield* items;
}

export async function chunksOf(
  chunker: Chunker,
  blocks: readonly Block[],
  title?: string,
): Promise<ChunkDraft[]> {
  const tokenizer = qwen3Tokenizer();
  const chunkContext = title === undefined ? { tokenizer } : { tokenizer, title };
  return collect(chunker.chunk(stream(blocks), chunkContext, new AbortController().signal));
}

export function paragraph(text: string, headings: readonly string[] = []): Block {
  return { kind: "paragraph", text, headings };
}

export function heading(path: readonly string[]): Block {
  return { kind: "heading", text: path.at(-1) ?? "", headings: path };
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Blocks of a source that breaks after the first one. */
export async function* brokenSource(): AsyncGenerator<Block, void, undefined> {
  yield paragraph("One.");
  throw new Error("broken source");
}
