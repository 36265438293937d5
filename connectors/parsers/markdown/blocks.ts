import type { MarkdownIt, Token } from "markdown-it";
import type { Block } from "../../../src/contracts/index.ts";
import { visibleHtml, withoutInlineComments } from "./html.ts";
import { Lines, trimLines, withoutIndentation, withoutQuoteMarks } from "./lines.ts";

interface MarkdownText {
  readonly blocks: readonly Block[];
  /** The first heading of level 1, as plain text. */
  readonly title?: string;
}

/** Turns Markdown into blocks. Every line of the source goes to exactly one block, or has nothing to be seen. */
export function markdownBlocks(source: string, markdown: MarkdownIt): MarkdownText {
  const reader = new BlockReader(source);
  const tokens = markdown.parse(source, {});
  for (let index = 0; index < tokens.length;) {
    let end = index + 1;
    if (tokens[index]?.nesting === 1) {
      while (end < tokens.length && tokens[end]?.level !== 0) end += 1;
      end += 1;
    }
    reader.read(tokens.slice(index, end));
    index = end;
  }
  reader.end();
  const title = reader.firstTitle === undefined ? "" : plainText(reader.firstTitle, markdown);
  return { blocks: reader.blocks, ...(title !== "" && { title }) };
}

/** A longer heading is a paragraph with a rule under it; in the path of every block it would be noise. */
const headingMaxUnits = 500;

function plainText(inline: string, markdown: MarkdownIt): string {
  const tokens: Token[] = [];
  markdown.inline.parse(inline, markdown, {}, tokens);
  return tokens
    .map((token) =>
      token.type === "softbreak" ? " " : token.type === "html_inline" ? "" : token.content,
    )
    .join("")
    .replace(/\s*\{#[\w-]+\}$/, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** Headings, with their levels, from the outermost to the current one. */
type Path = { readonly level: number; readonly text: string }[];

class BlockReader {
  readonly blocks: Block[] = [];
  firstTitle: string | undefined;
  readonly #lines: Lines;
  #path: Path = [];
  #headings: readonly string[] = [];
  /** The first line that no block has yet. */
  #next = 0;

  constructor(source: string) {
    this.#lines = new Lines(source);
  }

  /** Reads one block of the top level: its opening token, what is within, its closing token. */
  read(tokens: readonly Token[]): void {
    const [first] = tokens;
    if (first === undefined || first.map === null) return;
    const [from, to] = first.map;
    // Lines between blocks are blank or define link references, which have no token.
    this.#emit("paragraph", this.#take(from));
    switch (first.type) {
      case "heading_open":
        this.#heading(Number(first.tag.slice(1)), tokens[1]?.content ?? "", this.#take(to));
        break;
      case "hr":
        this.#take(to);
        break;
      case "html_block":
        this.#emit("paragraph", visibleHtml(this.#take(to)));
        break;
      case "fence":
      case "code_block":
      case "table_open":
        this.#leaf(first, 0);
        break;
      case "blockquote_open":
        this.#container("quote", tokens, to);
        break;
      case "bullet_list_open":
      case "ordered_list_open":
        this.#container("list", tokens, to);
        break;
      default:
        this.#emit("paragraph", withoutInlineComments(this.#take(to)));
    }
  }

  /** Reads what follows the last block. */
  end(): void {
    this.#emit("paragraph", this.#take(this.#lines.count));
  }

  #take(to: number): string {
    const from = this.#next;
    this.#next = Math.max(from, to);
    return this.#lines.slice(from, this.#next);
  }

  #heading(level: number, content: string, lines: string): void {
    if (content.length > headingMaxUnits) return this.#emit("paragraph", lines);
    const text = withoutInlineComments(content)
      .replace(/\s*\n\s*/g, " ")
      .trim();
    this.#path = this.#path.filter((heading) => heading.level < level);
    if (text !== "") this.#path.push({ level, text });
    this.#headings = this.#path.map((heading) => heading.text);
    if (level === 1 && text !== "") this.firstTitle ??= text;
    this.#emit("heading", text);
  }

  /** Code or a table, from the next line on; `quotes` says in how many quotes it stands. */
  #leaf(token: Token, quotes: number): void {
    const text = withoutQuoteMarks(this.#take(token.map?.[1] ?? this.#next), quotes);
    if (token.type === "table_open") {
      const rows = withoutIndentation(text).split("\n").map(withoutInlineComments).join("\n");
      this.#emit("table", rows, { headerLines: 2 });
    } else if (token.type === "fence") {
      const isEmpty = token.content.trim() === "" && token.info.trim() === "";
      if (!isEmpty) this.#emit("code", withoutIndentation(text), languageOf(token.info));
    } else {
      this.#emit("code", text);
    }
  }

  /** A list or quote: its text, parted where code or a table stands within. */
  #container(kind: "list" | "quote", tokens: readonly Token[], to: number): void {
    let quotes = 0;
    let texts: Token[] = [];
    for (const token of tokens) {
      if (token.type === "blockquote_open") quotes += 1;
      if (token.type === "blockquote_close") quotes -= 1;
      if (token.map === null) continue;
      if (token.type === "inline" || token.type === "html_block") texts.push(token);
      if (!leaves.has(token.type) || token.map[0] < this.#next) continue;
      this.#emit(kind, this.#withoutComments(texts, token.map[0]));
      texts = [];
      this.#leaf(token, quotes);
    }
    this.#emit(kind, this.#withoutComments(texts, to));
  }

  /** The lines up to `to`, without the comments of the paragraphs among them. */
  #withoutComments(paragraphs: readonly Token[], to: number): string {
    if (!this.#lines.slice(this.#next, to).includes("<!--")) return this.#take(to);
    let text = "";
    for (const { map, type } of paragraphs) {
      if (map === null || map[0] < this.#next || map[1] > to) continue;
      text += this.#take(map[0]);
      const paragraph = this.#take(map[1]);
      text += type === "inline" ? withoutInlineComments(paragraph) : visibleHtml(paragraph);
    }
    return text + this.#take(to);
  }

  #emit(kind: Block["kind"], text: string, more: Partial<Block> = {}): void {
    const trimmed = trimLines(text);
    if (trimmed.trim() === "") return;
    // Quote marks and bullets alone, left where code or a table was taken out, say nothing.
    if ((kind === "list" || kind === "quote") && /^[\s>*+-]*$/.test(trimmed)) return;
    this.blocks.push({ kind, text: trimmed, headings: this.#headings, ...more });
  }
}

const leaves = new Set(["fence", "code_block", "table_open"]);

/** The language of a fence's info string: `ts`, `{.python}`, `js title="a"`. */
function languageOf(info: string): { readonly language?: string } {
  const [first = ""] = info.trim().split(/[\s,]/);
  const language = first.replace(/^\{\.?|\}$/g, "");
  return language === "" ? {} : { language };
}
