import { appendFileSync, copyFileSync, globSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { atMost, type BenchRow } from "./row.ts";
import { Workplace } from "./workplace.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Real Markdown: the documentation of the packages that the project depends on. */
export async function documentationRows(): Promise<readonly BenchRow[]> {
  using place = new Workplace();
  mkdirSync(place.docs);
  const found = globSync("node_modules/**/*.md", { cwd: root }).toSorted();
  for (const [index, path] of found.entries()) {
    copyFileSync(join(root, path), join(place.docs, `${index}.md`));
  }
  place.configure({ embedder: "{ type: lexical }" });
  const cold = await place.run();
  await new Promise((resolve) => {
    setTimeout(resolve, 2500);
  });
  await place.run();
  const unchanged = await place.run();
  for (let index = 0; index < found.length; index += 100) {
    appendFileSync(join(place.docs, `${index}.md`), "\nA sentence was added here.\n");
  }
  const edited = await place.run();
  const { documents, chunks, tokens } = cold.summary;
  const note = `${documents.listed} files, ${chunks.total} chunks, ${tokens} tokens, cold ${cold.seconds.toFixed(2)} s`;
  const { updated } = edited.summary.documents;
  const { embedded } = edited.summary.chunks;
  return [
    atMost({
      name: "real Markdown: unchanged",
      unit: "s",
      reach: 0.5,
      reached: unchanged.seconds,
      note,
    }),
    atMost({
      name: "real Markdown: 1 % edit",
      unit: "s",
      reach: 1.5,
      reached: edited.seconds,
      note: `${updated} files changed, ${embedded} chunks embedded`,
    }),
  ];
}
