import type { MarkdownIt } from "markdown-it";
import type {
  Block,
  DocumentProperties,
  DocumentWarning,
  Parser,
} from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { decodeText } from "../../../src/flow/decode-text.ts";
import { runBounded } from "../../../src/flow/run-bounded.ts";
import { markdownBlocks } from "./blocks.ts";
import { splitFrontMatter } from "./front-matter.ts";

interface ParsedMarkdown {
  readonly properties: DocumentProperties;
  readonly blocks: readonly Block[];
  readonly warnings: readonly DocumentWarning[];
}

/**
 * Sources up to this many UTF-16 units need no watchdog, which costs a thread each: the worst of them known take a few
 * hundred milliseconds, for no rule of the block parser is worse than quadratic.
 */
const harmlessUnits = 16 * 1024;

/** V8 cannot hold a string twice as long. */
const sourceMaxUnits = 256 * 1024 * 1024;

/**
 * Parses Markdown. The document is held whole (the engine bounds its size). Block texts are the source's own lines:
 * inline markup, list markers, quote marks and fences stay, as readers and models know them.
 */
export function createMarkdownParser(options: { readonly timeoutMs: number }): Parser {
  let markdown: MarkdownIt | undefined;

  async function parseBounded(source: string): Promise<ParsedMarkdown> {
    const [{ default: createMarkdown }, yaml] = await Promise.all([
      import("markdown-it"),
      import("yaml"),
    ]);
    markdown ??= createMarkdown({ html: true });
    // Inline markup is kept as it is: only blocks need parsing, which is three times as fast.
    markdown.core.ruler.disable(["inline"]);
    const parser = markdown;
    try {
      const parse = (): ParsedMarkdown => {
        const front = splitFrontMatter(source, yaml);
        const { blocks, title } = markdownBlocks(source.slice(front.bodyStart), parser);
        return {
          properties: propertiesOf(front.title ?? title, front.metadata),
          blocks: [...front.blocks, ...blocks],
          warnings: front.warnings,
        };
      };
      return source.length <= harmlessUnits ? parse() : runBounded(parse, options.timeoutMs);
    } catch (error) {
      // An interrupted parser may be left half-changed.
      markdown = undefined;
      if (!(error instanceof RangeError)) throw error;
      throw new Fault("parse.malformed", "The Markdown is nested too deeply to be parsed.", {
        cause: error,
      });
    }
  }

  return {
    mediaTypes: ["text/markdown", "text/x-markdown"],
    async *parse(_document, content, signal) {
      const pieces: string[] = [];
      let units = 0;
      for await (const piece of decodeText(content, signal)) {
        if (piece.kind === "warning") {
          yield piece;
          continue;
        }
        pieces.push(piece.text);
        units += piece.text.length;
        if (units > sourceMaxUnits) throw tooLarge();
      }
      const { properties, blocks, warnings } = await parseBounded(pieces.join(""));
      for (const warning of warnings) yield { kind: "warning", warning };
      if (Object.keys(properties).length > 0) yield { kind: "properties", properties };
      for (const block of blocks) yield { kind: "block", block };
      if (blocks.length === 0) {
        yield {
          kind: "warning",
          warning: { code: "no-text", message: "The document has no text." },
        };
      }
    },
    close: () => Promise.resolve(),
  };
}

function propertiesOf(
  title: string | undefined,
  metadata: DocumentProperties["metadata"],
): DocumentProperties {
  return { ...(title !== undefined && { title }), ...(metadata !== undefined && { metadata }) };
}

function tooLarge(): Fault {
  return new Fault(
    "parse.too-large",
    "The document has more than 256 million characters; Markdown is parsed as a whole. Split it.",
  );
}
