import { mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { closePipeline, loadPipeline, query, run } from "../../../src/index.ts";
import { root } from "../tree.ts";
import { syncAndAsk } from "./sync-and-ask.ts";

function pipeline(source: string): string {
  return [
    "name: guide",
    `sources: { docs: ${source} }`,
    "embedder: { type: lexical }",
    "sinks: { search: { type: lancedb, uri: index, collection: guide } }",
  ].join("\n");
}

describe("the guide's programs", () => {
  it("sync a folder and ask it", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "sluice-guide-"));
    await mkdir(join(folder.path, "docs"));
    await writeFile(join(folder.path, "docs", "water.md"), "# Water\n\nA gate holds the water.\n");
    await writeFile(join(folder.path, "docs", "trees.md"), "# Trees\n\nOaks grow slowly.\n");
    const file = join(folder.path, "sluice.yaml");
    await writeFile(file, pipeline("{ type: files, root: docs }"));
    const [first] = await syncAndAsk(file, "where is the water?");
    expect(first).toMatch(/^docs:water\.md: /);
  });

  it("read articles through a connector of one's own, named by its path", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "sluice-guide-"));
    await writeFile(
      join(folder.path, "articles.json"),
      JSON.stringify({ a: "Oaks.", b: "Water." }),
    );
    const type = join(root, "test/tidy/guide/articles-source.ts");
    const file = join(folder.path, "sluice.yaml");
    await writeFile(file, pipeline(`{ type: ${JSON.stringify(type)}, file: articles.json }`));
    const [first] = await syncAndAsk(file, "water");
    expect(first).toBe("docs:b: Water.");
  });
});

describe("the quickstart", () => {
  it(
    "answers how deletions are guarded with the guide's page about it",
    { timeout: 60_000 },
    async () => {
      await using folder = await mkdtempDisposable(join(tmpdir(), "sluice-quickstart-"));
      const file = join(root, "pipelines/quickstart.yaml");
      const at = (name: string): string => JSON.stringify(join(folder.path, name));
      const loaded = await loadPipeline(file, {
        set: [
          `sinks.search.uri=${at("index")}`,
          `state.path=${at("state.sqlite")}`,
          `cache.path=${at("cache.sqlite")}`,
        ],
      });
      try {
        const { exitCode } = await run(loaded);
        expect(exitCode).toBe(0);
        const { hits } = await query(loaded, { text: "how are deletions guarded", k: 5 });
        expect(hits[0]?.document).toBe("docs:docs/guide/deletions.md");
        const [top] = hits.filter(({ text }) => /deletions are guarded/i.test(text));
        expect(hits.slice(0, 3)).toContain(top);
      } finally {
        await closePipeline(loaded);
      }
    },
  );
});
