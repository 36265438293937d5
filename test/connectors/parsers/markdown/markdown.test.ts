import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { markdownParser } from "../../../../connectors/parsers/markdown/index.ts";
import type { Parser } from "../../../../src/contracts/index.ts";
import { systemClock } from "../../../../src/flow/system-clock.ts";
import { parse, type Parsed } from "../parse.ts";

function makeParser(config: unknown = {}): Parser {
  const context = { name: "md", pipeline: "test", folder: "/", clock: systemClock, fields: {} };
  return markdownParser.create(markdownParser.config.parse(config), context);
}

const parser = makeParser();
const read = (source: string): Promise<Parsed> => parse(parser, source);

async function brief(source: string): Promise<string[]> {
  return (await read(source)).blocks.map((block) => `${block.kind}: ${block.text}`);
}

describe("blocks", () => {
  test("headings of both kinds make the path, deeper ones end with their parent", async () => {
    const { blocks } = await read(
      "before\n# One #\na\n### Deep `x`\nb\nTwo\nlines\n===\nc\n## Sub\n\n##\nd\n",
    );
    expect(blocks.map((block) => [block.kind, block.text, block.headings.join(" > ")])).toEqual([
      ["paragraph", "before", ""],
      ["heading", "One", "One"],
      ["paragraph", "a", "One"],
      ["heading", "Deep `x`", "One > Deep `x`"],
      ["heading", "b Two lines", "b Two lines"],
      ["paragraph", "c", "b Two lines"],
      ["heading", "Sub", "b Two lines > Sub"],
      ["paragraph", "d", "b Two lines"],
    ]);
  });

  test("fenced code is one block with its fences and its language; indented code keeps its indentation", async () => {
    const { blocks } = await read(
      '```ts title="x.ts"\nconst a = 1;\n\n# not a heading\n```\n\n    indented\n\n      more\n\n~~~ {.python}\nx\n~~~\n',
    );
    expect(blocks).toMatchObject([
      {
        kind: "code",
        language: "ts",
        text: '```ts title="x.ts"\nconst a = 1;\n\n# not a heading\n```',
      },
      { kind: "code", text: "    indented\n\n      more" },
      { kind: "code", language: "python", text: "~~~ {.python}\nx\n~~~" },
    ]);
  });

  test("a table is one block whose first two lines are its header", async () => {
    const { blocks } = await read("para\n| a | b |\n|---|:-:|\n| 1 | 2 |\n| `x` |\n\nafter");
    expect(blocks).toMatchObject([
      { kind: "paragraph", text: "para" },
      { kind: "table", headerLines: 2, text: "| a | b |\n|---|:-:|\n| 1 | 2 |\n| `x` |" },
      { kind: "paragraph", text: "after" },
    ]);
  });

  test("lists and quotes stay as written, with nesting, tasks and lazy lines", async () => {
    expect(
      await brief("- [ ] one\n  - two\n\n  para\n- [x] three\n\n> quote\nlazy\n> > deep"),
    ).toEqual([
      "list: - [ ] one\n  - two\n\n  para\n- [x] three",
      "quote: > quote\nlazy\n> > deep",
    ]);
  });

  test("code and tables within lists and quotes are blocks of their own, without the indentation", async () => {
    const source = [
      "1. Install it:",
      "",
      "   ```sh",
      "   npm ci",
      "     --quiet",
      "   ```",
      "",
      "2. Look:",
      "",
      "   | a | b |",
      "   |---|---|",
      "   | 1 | 2 |",
      "",
      "3. Done",
      "",
      "> ```js",
      "> x > y",
      "> ```",
      "> said",
    ].join("\n");
    const { blocks } = await read(source);
    expect(blocks).toMatchObject([
      { kind: "list", text: "1. Install it:" },
      { kind: "code", language: "sh", text: "```sh\nnpm ci\n  --quiet\n```" },
      { kind: "list", text: "2. Look:" },
      { kind: "table", headerLines: 2, text: "| a | b |\n|---|---|\n| 1 | 2 |" },
      { kind: "list", text: "3. Done" },
      { kind: "code", language: "js", text: "```js\nx > y\n```" },
      { kind: "quote", text: "> said" },
    ]);
  });

  test("definitions of link references are kept, where they stand", async () => {
    expect(await brief('See [it][r].\n\n[r]: http://x "t"\n[s]: /y\n\nMore.')).toEqual([
      "paragraph: See [it][r].",
      'paragraph: [r]: http://x "t"\n[s]: /y',
      "paragraph: More.",
    ]);
  });

  test("comments, scripts, styles and bare tags disappear; HTML with text stays", async () => {
    const source = [
      "<!-- one\n\ntwo --> seen",
      "",
      "text <!-- three --> on `<!-- code -->` and \\<!-- four",
      "",
      "<div>\n<style>p {}</style>\n</div>",
      "",
      "<script>\nfive()\n</script>",
      "",
      '<p align="center"><img alt="Logo"></p>',
      "",
      "<details>",
      "",
      "- item <!-- six --> end",
      "",
      "- `<!--` and `-->`",
      "",
      "</details>",
    ].join("\n");
    expect(await brief(source)).toEqual([
      "paragraph:  seen",
      "paragraph: text  on `<!-- code -->` and \\<!-- four",
      'paragraph: <p align="center"><img alt="Logo"></p>',
      "list: - item  end\n\n- `<!--` and `-->`",
    ]);
  });

  test("inline markup stays as in the source", async () => {
    const text = "**bold** _it_ ~~no~~ [a](b) ![i](j) <https://x.y> https://z &amp; $x_1$ :smile:";
    expect(await brief(text)).toEqual([`paragraph: ${text}`]);
  });
});

test("a heading too long to be one does not enter the path", async () => {
  const { blocks } = await read(`# A\n\n${"word ".repeat(200)}\n---\nx`);
  expect(blocks.map((block) => block.kind)).toEqual(["heading", "paragraph", "paragraph"]);
  expect(blocks.at(-1)?.headings).toEqual(["A"]);
});

describe("front matter", () => {
  test("a mapping becomes metadata and title", async () => {
    const { blocks, properties, warnings } = await read(
      "---\ntitle: The Guide\ndate: 2024-05-06\ntags: [a, b]\nbig: 12345678901234567890\nnan: .nan\nnested: { 1: x }\n---\n# Other\n",
    );
    expect(properties).toEqual([
      {
        title: "The Guide",
        metadata: {
          date: "2024-05-06",
          tags: ["a", "b"],
          big: "12345678901234567890",
          nan: "NaN",
          nested: { "1": "x" },
        },
      },
    ]);
    expect(blocks.map((block) => block.text)).toEqual(["Other"]);
    expect(warnings).toEqual([]);
  });

  test("without a title, the first heading of level 1 is it, as plain text", async () => {
    const source = "---\na: 1\n---\n## Sub\n# The [`big`](x) **one** ![logo](y) <br> {#id}\n# Next";
    expect((await read(source)).properties).toEqual([
      { title: "The big one logo", metadata: { a: 1 } },
    ]);
    expect((await read("plain")).properties).toEqual([]);
  });

  test("a Windows file with a byte order mark has front matter too", async () => {
    const { properties } = await read("\uFEFF---\r\ntitle: T\r\n---\r\nx\r\n");
    expect(properties).toEqual([{ title: "T" }]);
  });

  const aliasBomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${["b", "c", "d", "e", "f", "g", "h"]
    .map((key, index) => `${key}: &${key} [${Array(9).fill(`*${"abcdefg"[index]}`).join(",")}]`)
    .join("\n")}`;
  test.each([
    ["broken YAML", "a: [1,\nb: 'secret"],
    ["a duplicate key", "a: 1\na: 2"],
    ["an alias bomb", aliasBomb],
    ["deep nesting", `a: ${"[".repeat(20_000)}`],
    ["nesting that closes", `a: ${"[".repeat(200)}${"]".repeat(200)}`],
    ["too many values", `a: [${"1,".repeat(11_000)}]`],
    ["a prototype key", "__proto__: { polluted: true }"],
    ["a key that is a list", "? [a]\n: 1"],
    ["an unknown alias", "a: *nowhere"],
  ])("%s is a warning, and the text is kept", async (_name, yaml) => {
    const { blocks, properties, warnings } = await read(`---\n${yaml}\n---\n# Body\n\ntext`);
    expect(warnings.map((warning) => warning.code)).toEqual(["front-matter"]);
    expect(warnings[0]?.message).not.toContain("secret");
    expect(blocks.map((block) => block.text)).toEqual([yaml, "Body", "text"]);
    expect(properties).toEqual([{ title: "Body" }]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("front matter that does not end within the limit is a warning, and the text is kept", async () => {
    const source = `---\na: 1\n${"b\n".repeat(40_000)}---\nend`;
    const { blocks, warnings } = await read(source);
    expect(warnings.map((warning) => warning.code)).toEqual(["front-matter"]);
    expect(blocks.map((block) => block.text).join("\n")).toMatch(/a: 1\s+b\s+b/);
  });

  test.each([
    "---\n\nprose: with a colon\n\n---\nx",
    "---\njust prose\n---\nx",
    "---\n- a\n- b\n---\nx",
    "---\n# heading\n---\nx",
    "---\nnever: closed\nx",
  ])("what only looks like front matter is Markdown: %j", async (source) => {
    const { blocks, properties, warnings } = await read(source);
    expect(warnings).toEqual([]);
    expect(properties.every((each) => each.metadata === undefined)).toBe(true);
    const shown = blocks.map((block) => block.text).join(" ");
    for (const word of source.match(/[a-z]+/g) ?? []) expect(shown).toContain(word);
  });
});

/** Numbers the words of a source, so that each can be found again. */
function numbered(fragments: readonly string[]): { source: string; words: string[] } {
  let count = 0;
  const source = fragments.join("").replace(/W/g, () => `w${count++}w`);
  return { source, words: Array.from({ length: count }, (_, index) => `w${index}w`) };
}

function indent(text: string, first: string, rest: string): string {
  return text
    .split("\n")
    .map((line, index) => (index === 0 ? first : rest) + line)
    .join("\n");
}

async function expectEveryWordOnce(source: string, words: readonly string[]): Promise<void> {
  const { blocks } = await read(source);
  const shown = blocks.map((block) => block.text).join("\n\n");
  expect(shown.match(/w\d+w/g) ?? []).toEqual(words);
  for (const block of blocks) {
    expect(block.text.trim()).not.toBe("");
    if (block.kind === "heading") expect(block.headings.at(-1)).toBe(block.text);
  }
}

describe("law: every visible word of the source is in exactly one block, in order", () => {
  const syntax = fc.constantFrom(
    ..."\n|\n\n| |  |    |\t|W|W W|- |* |1. |10) |> |>|# |### | #|===\n|---\n|```\n|```W\n|~~~\n|\\||W \\| W|[W]: /W\n|[W](W)|`|``|**|_|~~|<div>|</div>|<b>|\\|:|[|]|(|)|!|<W@x.y>|[ ] |&amp;|\u00A0|😀"
      .replaceAll("\\|", "\u0001")
      .split("|")
      .map((piece) => piece.replaceAll("\u0001", "|"))
      .filter((piece) => piece !== ""),
  );

  test("whatever the syntax is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(syntax, { maxLength: 60 }), async (fragments) => {
        const { source, words } = numbered(["W\n\n", ...fragments]);
        await expectEveryWordOnce(source, words);
      }),
      { numRuns: 1500 },
    );
  });

  test("in documents of well-formed parts", async () => {
    const leaf = fc.constantFrom(
      "W W\nW",
      "# W",
      "W\n---",
      "```ts\nW\n\n  W\n```",
      "| W | W |\n|---|---|\n| W | W |\n| W |",
      "- W\n- W\n  - W",
      "[W]: /W",
      "***",
      "<div>\nW\n</div>",
      "<!-- gone -->",
      "    W\n    W",
    );
    const { document } = fc.letrec<{ document: string }>((tie) => ({
      document: fc
        .array(
          fc.oneof(
            { maxDepth: 4, withCrossShrink: true },
            leaf,
            tie("document").map((inner) => indent(inner, "- ", "  ")),
            tie("document").map((inner) => indent(inner, "> ", "> ")),
            tie("document").map((inner) => indent(inner, "1. ", "   ")),
          ),
          { minLength: 1, maxLength: 5 },
        )
        .map((parts) => parts.join("\n\n")),
    }));
    await fc.assert(
      fc.asyncProperty(document, async (text) => {
        const { source, words } = numbered([text]);
        await expectEveryWordOnce(source, words);
      }),
      { numRuns: 700 },
    );
  });
});

describe("hostile input ends, within the limit or by it", () => {
  const mega = 1_000_000;
  const cases: [string, () => string][] = [
    ["quotes in quotes", () => "> ".repeat(50_000) + "x"],
    ["quotes without spaces", () => ">".repeat(mega)],
    [
      "lists in lists",
      () => Array.from({ length: 1500 }, (_, i) => `${" ".repeat(i * 2)}- x`).join("\n"),
    ],
    ["lists on one line", () => `${"- ".repeat(50_000)}x`],
    ["brackets", () => "[".repeat(mega)],
    ["closing brackets", () => `${"[a](".repeat(100_000)}`],
    ["a line of a megabyte", () => "x".repeat(mega)],
    ["a line of words", () => "word ".repeat(200_000)],
    ["short paragraphs", () => "ab\n\n".repeat(1_250_000)],
    ["fences that never close", () => "```\nx\n~~~\n".repeat(50_000)],
    ["a table of 100,000 cells", () => `|a|b|\n|-|-|\n${"|1|2|\n".repeat(50_000)}`],
    ["a table with wide rows", () => `${"|a".repeat(50_000)}|\n${"|-".repeat(50_000)}|\n|x|\n|y|`],
    ["comments that never end", () => "<!-- ".repeat(200_000)],
    ["inline comments that never end", () => `x ${"<!-- ` ".repeat(100_000)}`],
    [
      "ticks of every length",
      () => Array.from({ length: 1400 }, (_, i) => "`".repeat(i + 1)).join(" <!-- "),
    ],
    ["scripts that never end", () => `<div>\n${"<script><style>".repeat(70_000)}`],
    ["reference definitions", () => "[a]: b\n".repeat(100_000)],
    ["definitions that are none", () => "[a\n".repeat(200_000)],
    ["tags", () => "<a".repeat(300_000)],
    ["emphasis in a title", () => `# ${"*a **b ".repeat(100_000)}`],
    ["spaces before a fence", () => `- x\n\n${" ".repeat(200_000)}\`\`\`\n  a\n`],
    ["line ends only", () => "\n".repeat(2 * mega)],
  ];
  test.each(cases)("%s, cut to what needs no watchdog, is harmless", async (_name, make) => {
    const before = performance.now();
    await parse(makeParser(), make().slice(0, 16 * 1024));
    expect(performance.now() - before).toBeLessThan(3000);
  });

  const strict = makeParser({ timeout_ms: 1500 });
  test.each(cases)("%s", async (_name, make) => {
    const source = make();
    const before = performance.now();
    const result = await parse(strict, source).catch((error: { code?: string }) => error.code);
    if (typeof result === "object") {
      const length = result.blocks.reduce((sum, block) => sum + block.text.length, 0);
      expect(length).toBeLessThanOrEqual(source.length);
    } else {
      expect(["parse.timeout", "parse.malformed"]).toContain(result);
    }
    expect(performance.now() - before).toBeLessThan(15_000);
  });

  test("a document that takes too long fails with parse.timeout, and the next is read as ever", async () => {
    const hasty = makeParser({ timeout_ms: 60 });
    const slow = "> - x\n\n".repeat(400_000);
    await expect(parse(hasty, slow)).rejects.toMatchObject({ code: "parse.timeout" });
    expect((await parse(hasty, "# ok")).blocks).toHaveLength(1);
  });
});

test("an empty document gives a warning and no block", async () => {
  for (const source of ["", "\n \n", "<!-- only a comment -->", "---\na: 1\n---\n"]) {
    const { blocks, warnings } = await read(source);
    expect(blocks).toEqual([]);
    expect(warnings.map((warning) => warning.code)).toEqual(["no-text"]);
  }
});
