import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { makePlace } from "./support/place.ts";
import { readIndex } from "./support/stored-index.ts";
import { sync } from "./support/sync.ts";

const hangingParser = fileURLToPath(new URL("support/hanging-parser.ts", import.meta.url));

/** Texts by document, as the index has them. */
async function textsIn(index: string): Promise<Readonly<Record<string, unknown>>> {
  const rows = [...(await readIndex(index, "search")).values()];
  return Object.fromEntries(rows.map(({ document, text }) => [document, text]));
}

describe("a parser that", () => {
  test.each([
    ["never answers", "wait", "parse.timeout"],
    ["never ends", "yield", "parse.timeout"],
    ["breaks", "throw", "parse.malformed"],
  ])("%s fails its document alone, which keeps its old version", async (_, word, code) => {
    const source = ["parsers:", `  ${JSON.stringify(hangingParser)}: {}`];
    const more = ["limits: { parse_timeout_ms: 300 }"];
    const place = await makePlace({ source, more });
    for (const id of ["one", "two", "three"]) await place.write(`${id}.txt`, `Text ${id}.`);
    expect((await sync(place.file)).exitCode).toBe(0);
    await place.write("two.txt", `A secret, and then ${word}.`);
    await place.write("three.txt", "Text three, edited.");
    const { exitCode, summary } = await sync(place.file);
    expect(exitCode).toBe(3);
    expect(summary).toMatchObject({
      status: "partial",
      documents: { listed: 3, updated: 1, unchanged: 1, failed: 1 },
      failures: [{ document: "docs:two.txt", stage: "parse", code }],
    });
    expect(summary.failures[0]?.message).not.toContain("secret");
    const texts = { "docs:one.txt": "Text one.", "docs:two.txt": "Text two." };
    expect(await textsIn(place.index)).toStrictEqual({
      ...texts,
      "docs:three.txt": "Text three, edited.",
    });
    await place.write("two.txt", "Text two, mended.");
    expect(await sync(place.file)).toMatchObject({ exitCode: 0, summary: { failures: [] } });
  });
});

/** A document with front matter. */
function page(properties: string, text: string): string {
  return `---\n${properties}\n---\n${text}\n`;
}

describe("front matter", () => {
  test("of another type than declared fails its document alone, which keeps its old version", async () => {
    const more = ["metadata: { date: timestamp, edition: integer, tags: list of string }"];
    const place = await makePlace({ more });
    await place.write("good.md", page("date: 2024-05-01\nedition: 2\ntags: [a, b]", "Good."));
    await place.write("bad.md", page("edition: 1", "Bad, still good."));
    expect((await sync(place.file)).exitCode).toBe(0);
    const before = await readIndex(place.index, "search");
    expect([...before.values()].find((row) => row["text"] === "Good.")).toMatchObject({
      edition: 2n,
      tags: ["a", "b"],
    });
    for (const wrong of ["edition: first", "date: soon", "tags: { a: 1 }", "edition: [1, 2]"]) {
      await place.write("bad.md", page(wrong, "Bad."));
      const { exitCode, summary } = await sync(place.file);
      expect(exitCode).toBe(3);
      const field = wrong.slice(0, wrong.indexOf(":"));
      expect(summary.failures).toMatchObject([{ document: "docs:bad.md", code: "parse.metadata" }]);
      expect(summary.failures[0]?.message).toContain(`\`${field}\` is declared as`);
      expect(await readIndex(place.index, "search")).toStrictEqual(before);
    }
  });

  test("cannot set what every record has by itself", async () => {
    const place = await makePlace();
    const fixed = [
      "id",
      "document",
      "source",
      "pipeline",
      "fingerprint",
      "revision",
      "vector",
      "text",
    ];
    const properties = fixed.map((name) => `${name}: forged`).join("\n");
    await place.write("one.md", `---\n${properties}\n---\nText one.\n`);
    expect((await sync(place.file)).exitCode).toBe(0);
    const [row] = (await readIndex(place.index, "search")).values();
    for (const name of fixed) expect(row?.[name], name).not.toBe("forged");
    expect(row).toMatchObject({ document: "docs:one.md", source: "docs", text: "Text one." });
  });

  test("that is no YAML is kept as text, with a warning", async () => {
    const place = await makePlace();
    await place.write("one.md", "---\n: : {[\n---\nText one.\n");
    const warnings: string[] = [];
    const { exitCode } = await sync(place.file, {
      observe: (event) => {
        if (event.kind === "document-warned") warnings.push(event.message);
      },
    });
    expect(exitCode).toBe(0);
    expect(warnings).toHaveLength(1);
    expect(Object.values(await textsIn(place.index)).join()).toContain("Text one.");
  });
});

test("bytes that are no text of any encoding are replaced, counted, and told", async () => {
  const place = await makePlace();
  const mostly = Buffer.from("Größe und Maß sind überall übersetzt. ".repeat(20));
  await place.write("one.md", Buffer.concat([mostly, Buffer.from([0xff, 0xc3]), mostly]));
  await place.write("good.md", "Plain text.\n");
  const warned: string[] = [];
  const { exitCode } = await sync(place.file, {
    observe: (event) => {
      if (event.kind === "document-warned") warned.push(event.document);
    },
  });
  expect(exitCode).toBe(0);
  expect(warned).toStrictEqual(["docs:one.md"]);
  expect(Object.keys(await textsIn(place.index))).toHaveLength(2);
});
