import { mkdir, mkdtempDisposable, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectedDocuments } from "../../../src/cli/expected-documents.ts";
import { closePipeline, loadPipeline, run } from "../../../src/index.ts";

const never = new AbortController().signal;

test("as many documents are expected as the last listings of the run's sources had", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "sluice-expected-"));
  const file = join(folder.path, "sluice.yaml");
  await writeFile(
    file,
    `name: expected
sources: { few: { type: files, root: few }, many: { type: files, root: many } }
embedder: { type: lexical }
sinks: { here: { type: memory, collection: expected } }
`,
  );
  for (const path of ["few/1.md", "many/1.md", "many/2.md", "many/3.md"]) {
    await mkdir(join(folder.path, path, ".."), { recursive: true });
    await writeFile(join(folder.path, path), "A text.\n");
  }
  const pipeline = await loadPipeline(file);
  try {
    expect(await expectedDocuments(pipeline, {}, never)).toBeUndefined();
    await run(pipeline);
    expect(await expectedDocuments(pipeline, {}, never)).toBe(4);
    expect(await expectedDocuments(pipeline, { sources: ["many"] }, never)).toBe(3);
    expect(await expectedDocuments(pipeline, { sources: ["many"], limit: 2 }, never)).toBe(2);
    expect(await expectedDocuments(pipeline, { limit: 9 }, never)).toBe(4);

    await rm(join(folder.path, "few/1.md"));
    await run(pipeline, { allowDeletions: 1 });
    expect(await expectedDocuments(pipeline, { sources: ["few"] }, never)).toBeUndefined();
  } finally {
    await closePipeline(pipeline);
  }
});
