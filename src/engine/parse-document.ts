import type {
  Block,
  ChunkDraft,
  DocumentRef,
  DocumentWarning,
  JsonObject,
  ParserEvent,
} from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import { systemClock } from "../flow/index.ts";
import { readDrafts } from "./drafts.ts";
import { parserFor } from "./parsing.ts";
import type { Pipeline, PipelineSource } from "./pipeline.ts";

/** What one document becomes on its way to the embedder. */
export interface ParsedDocument {
  readonly media_type: string;
  /** The type of the parser that read it. */
  readonly parser: string;
  readonly title?: string;
  readonly metadata: JsonObject;
  readonly warnings: readonly DocumentWarning[];
  readonly blocks: readonly Block[];
  readonly chunks: readonly ChunkDraft[];
}

/** Reads, parses and chunks one document as a run would, and keeps what a run lets go. */
export async function parseDocument(
  pipeline: Pipeline,
  options: {
    readonly source: PipelineSource;
    readonly document: DocumentRef;
    readonly signal?: AbortSignal;
  },
): Promise<ParsedDocument> {
  const { source, document } = options;
  const signal = options.signal ?? new AbortController().signal;
  const blocks: Block[] = [];
  const reader = parserFor(source, document.mediaType);
  const watched: PipelineSource = {
    ...source,
    parsers: source.parsers.map((entry) => {
      const { parser } = entry;
      const parse: typeof parser.parse = (...given) => keepBlocks(parser.parse(...given), blocks);
      const { mediaTypes, streams } = parser;
      const close = (): Promise<void> => parser.close();
      return {
        ...entry,
        parser: { mediaTypes, parse, close, ...(streams === undefined ? {} : { streams }) },
      };
    }),
  };
  const reading = await readDrafts(
    {
      pipeline,
      source: watched,
      document,
      known: false,
      isCurrent: () => false,
      clock: systemClock,
    },
    signal,
  );
  if (reading.kind === "current") throw new Fault("source.protocol", "Nothing was read.");
  const chunks: ChunkDraft[] = [];
  for await (const draft of reading.drafts) chunks.push(draft);
  const { properties, warnings } = reading.found;
  const title = document.title ?? properties.title;
  return {
    media_type: document.mediaType,
    parser: reader?.type ?? "the source itself",
    ...(title === undefined ? {} : { title }),
    metadata: { ...source.metadata, ...document.metadata, ...properties.metadata },
    warnings,
    blocks,
    chunks,
  };
}

async function* keepBlocks(
  events: AsyncIterable<ParserEvent>,
  blocks: Block[],
): AsyncGenerator<ParserEvent, void, undefined> {
  for await (const event of events) {
    if (event.kind === "block") blocks.push(event.block);
    yield event;
  }
}
