import type { Parser } from "../../../src/contracts/index.ts";
import { decodeText } from "../../../src/flow/decode-text.ts";
import { Paragraphs } from "./paragraphs.ts";

/**
 * Parses plain text: every paragraph is a block. Holds one paragraph, and of a very long one no more than a part, so
 * that a file of any size needs little memory.
 */
export function createTextParser(): Parser {
  return {
    mediaTypes: ["text/plain", "text/*"],
    streams: true,
    async *parse(_document, content, signal) {
      const paragraphs = new Paragraphs();
      let isEmpty = true;
      for await (const piece of decodeText(content, signal)) {
        if (piece.kind === "warning") {
          yield piece;
          continue;
        }
        for (const text of paragraphs.add(piece.text)) {
          isEmpty = false;
          yield { kind: "block", block: { kind: "paragraph", text, headings: [] } };
        }
      }
      for (const text of paragraphs.end()) {
        isEmpty = false;
        yield { kind: "block", block: { kind: "paragraph", text, headings: [] } };
      }
      if (isEmpty) {
        yield {
          kind: "warning",
          warning: { code: "no-text", message: "The document has no text." },
        };
      }
    },
    close: () => Promise.resolve(),
  };
}
