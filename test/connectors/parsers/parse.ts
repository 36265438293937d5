import type {
  Block,
  DocumentProperties,
  DocumentRef,
  DocumentWarning,
  Parser,
} from "../../../src/contracts/index.ts";

export interface Parsed {
  readonly blocks: readonly Block[];
  readonly properties: readonly DocumentProperties[];
  readonly warnings: readonly DocumentWarning[];
}

export async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

export function documentOf(id: string): DocumentRef {
  return {
    id,
    revision: "1",
    mediaType: "text/plain",
    metadata: {},
    content: { kind: "bytes", open: () => inPieces(new Uint8Array(0), 1) },
  };
}

/** Parses a source and sorts what the parser says. */
export async function parse(
  parser: Parser,
  source: string | Uint8Array,
  size = 1 << 16,
): Promise<Parsed> {
  const blocks = [];
  const properties = [];
  const warnings = [];
  const content = inPieces(Buffer.from(source), size);
  for await (const event of parser.parse(
    documentOf("test"),
    content,
    new AbortController().signal,
  )) {
    if (event.kind === "block") blocks.push(event.block);
    else if (event.kind === "properties") properties.push(event.properties);
    else warnings.push(event.warning);
  }
  return { blocks, properties, warnings };
}
