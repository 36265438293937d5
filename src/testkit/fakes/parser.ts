import { TextDecoder } from "node:util";
import type { Block, Parser } from "../../contracts/index.ts";
import { Fault } from "../../faults/index.ts";

/**
 * A parser of plain UTF-8: blank lines part paragraphs, `#` marks headings, `title:` in the first line is the title.
 * Content with a NUL or with invalid UTF-8 is malformed.
 */
export function createFakeParser(): Parser {
  return {
    mediaTypes: ["text/x-fake"],
    async *parse(document, content, signal) {
      const decoder = new TextDecoder("utf-8", { fatal: true });
      const state = { headings: [] as string[], first: true };
      let rest = "";
      for await (const bytes of content) {
        signal.throwIfAborted();
        rest += decode(decoder, bytes, document.id);
        const paragraphs = rest.split("\n\n");
        rest = paragraphs.pop() ?? "";
        for (const paragraph of paragraphs) yield* eventsOf(paragraph, state);
      }
      rest += decode(decoder, undefined, document.id);
      yield* eventsOf(rest, state);
    },
    close: async () => {},
  };
}

function decode(decoder: TextDecoder, bytes: Uint8Array | undefined, id: string): string {
  try {
    const text = bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    if (!text.includes("\0")) return text;
  } catch (cause) {
    throw new Fault("parse.malformed", `The document \`${id}\` is not UTF-8.`, { cause });
  }
  throw new Fault("parse.malformed", `The document \`${id}\` holds a NUL; it is not text.`);
}

function* eventsOf(paragraph: string, state: { headings: string[]; first: boolean }) {
  const text = paragraph.trim();
  if (text === "") return;
  const title = state.first && text.startsWith("title: ") ? text.slice(7) : undefined;
  state.first = false;
  if (title !== undefined) {
    yield { kind: "properties", properties: { title } } as const;
    return;
  }
  yield { kind: "block", block: blockOf(text, state) } as const;
}

function blockOf(text: string, state: { headings: string[] }): Block {
  const heading = /^(#{1,6}) (.+)$/.exec(text);
  if (heading === null) return { kind: "paragraph", text, headings: [...state.headings] };
  const [, marks = "", name = ""] = heading;
  state.headings = [...state.headings.slice(0, marks.length - 1), name];
  return { kind: "heading", text: name, headings: [...state.headings] };
}
