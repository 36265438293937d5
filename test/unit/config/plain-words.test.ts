import { describe, expect, test } from "vitest";
import { catalog } from "../../../connectors/catalog.ts";
import { goodFile } from "./fixture-catalog.ts";
import { readText } from "./read-files.ts";

const bomb = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
  .concat(
    ["b", "c", "d", "e"].map((name, index) => {
      const before = "abcd"[index];
      return `${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(",")}]`;
    }),
  )
  .join("\n");

/** What is told of the project's own connectors. */
async function told(text: string): Promise<string[]> {
  const { problems } = await readText(text, { catalog });
  return problems.map(({ message }) => message);
}

describe("what is wrong with a file is told in plain words:", () => {
  test.each([
    ["a list", "sources:\n  docs:\n    include: [a, b\n    root: docs\n", "[", "]"],
    ["a list at the end", "name: x\nlist: [a, b\n", "[", "]"],
    ["a map", "name: { a: b\nsources: x\n", "{", "}"],
  ])("%s whose bracket is not closed", async (_, text, opening, closing) => {
    const { problems } = await readText(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain(
      `a \`${opening}\` above is not closed by \`${closing}\``,
    );
  });

  test.each([
    ["text", "hello\n", 'the file must be a map of keys and values, not "hello"'],
    ["a list", "- a\n- b\n", "the file must be a map of keys and values, not a list"],
  ])("a file that is %s", async (_, text, expected) => {
    const { problems } = await readText(text);
    expect(problems.map(({ message }) => message)).toEqual([expected]);
  });

  test("aliases that expand to very much, once", async () => {
    const { problems } = await readText(bomb);
    expect(problems.filter(({ message }) => message.includes("aliases"))).toHaveLength(1);
  });

  test("a name with other characters, without a pattern", async () => {
    expect(await told(offline.replace("name: notes", "name: My Notes"))).toEqual([
      "`name` must be 1 to 63 lower-case letters, digits, `-` and `_`, beginning with a letter or a digit, " +
        'not "My Notes"',
    ]);
    expect(await told(offline.replace("collection: notes", 'collection: "a b"'))).toEqual([
      '`sinks.search.collection` must be letters, digits, `_`, `-` and `.`, not "a b"',
    ]);
    expect(await told(offline.replace("name: notes", "name: 5"))).toEqual([
      "`name` must be text, not 5",
    ]);
    expect(await told(offline.replace("uri: index", "uri: s3://bucket"))).toEqual([
      "`sinks.search.uri` must be a local folder; object stores and LanceDB Cloud are not supported",
    ]);
  });

  test("a header that is none, and a key that cannot be sent", async () => {
    const server = offline.replace(
      "embedder: { type: lexical }",
      'embedder: { type: openai, url: http://x/v1, model: m, api_key: "a\\nb", headers: { "a b": c } }',
    );
    expect(await told(server)).toEqual([
      "`embedder.api_key` holds characters that cannot be sent in a header",
      "`a b` cannot be a name under `embedder.headers`: it is not a header name",
    ]);
  });
});

const offline = `name: notes
sources:
  docs: { type: files, root: docs }
embedder: { type: lexical }
sinks:
  search:
    type: lancedb
    uri: index
    collection: notes
`;

describe("state and cache", () => {
  test.each(["cache.path=x", "cache.max_mb=10", "state.path=x"])(
    "are files unless they say otherwise: --set %s",
    async (setting) => {
      const { told: problems, config } = await readText(goodFile, { settings: [setting] });
      expect(problems).toEqual([]);
      expect([config?.state.type, config?.cache.type]).toEqual(["sqlite", "sqlite"]);
    },
  );

  test("that are of an unknown type are told the known ones", async () => {
    const { told: problems } = await readText(`${goodFile}state: { type: sqlit }\n`);
    expect(problems).toEqual([
      expect.stringMatching(/`state\.type` must be `sqlite` or `memory`, not "sqlit"$/),
    ]);
  });
});
