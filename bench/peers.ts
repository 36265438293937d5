import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Corpus } from "./corpus.ts";
import { peakOf } from "./memory.ts";
import { atMost, type BenchRow } from "./row.ts";
import { StubServer, Workplace } from "./workplace.ts";

/** The scenario that peers were measured with: 2,000 Markdown files, 18.8 MB, a server that answers at once. */
export async function peersRows(): Promise<readonly BenchRow[]> {
  using place = new Workplace();
  await using server = await StubServer.start("--forget");
  const bytes = new Corpus(3).write(place.docs, 2000, { bytes: 9_000, blocksPerSection: 6 });
  place.configure({ embedder: server.embedder });
  const cold = await coldest(place);
  await new Promise((resolve) => {
    setTimeout(resolve, 2500);
  });
  await place.run();
  const unchanged = await place.run();
  edit(place.docs);
  const edited = await place.run();
  place.reset();
  const peak = await peakOf(place);
  const { chunks, tokens } = cold.summary;
  const what = `${(bytes / 1e6).toFixed(1)} MB, ${chunks.total} chunks, ${tokens} tokens`;
  return [
    row("cold", "s", 6, cold.seconds, `${what}; best of 3, libraries loaded before`),
    row("unchanged", "s", 0.5, unchanged.seconds, "no document opened"),
    row("1 % edit", "s", 1.5, edited.seconds, "a sentence into 20 files"),
    row(
      "1 % edit",
      "texts embedded",
      115,
      edited.summary.chunks.embedded,
      "a sentence into 20 files",
    ),
    row(
      "peak memory",
      "MB",
      430,
      peak,
      "resident, of a process that does the cold run as the bin starts it",
    ),
  ];
}

/** The best of three cold runs; the first one, which also loads every library, is not counted. */
async function coldest(place: Workplace): ReturnType<Workplace["run"]> {
  const runs: Awaited<ReturnType<Workplace["run"]>>[] = [];
  for (let round = 0; round < 4; round += 1) {
    place.reset();
    runs.push(await place.run());
  }
  const [best] = runs.slice(1).toSorted((a, b) => a.seconds - b.seconds);
  if (best === undefined) throw new RangeError("No cold run was measured.");
  return best;
}

function row(name: string, unit: string, reach: number, reached: number, note: string): BenchRow {
  return atMost({ name: `2,000 files: ${name}`, unit, reach, reached, note });
}

/** A sentence into every hundredth file. */
function edit(folder: string): void {
  for (const [index, path] of globSync("**/*.md", { cwd: folder }).toSorted().entries()) {
    if (index % 100 !== 0) continue;
    const file = join(folder, path);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace("\n\n## ", "\n\nA sentence was added here.\n\n## "));
  }
}
