import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunEvent } from "../src/engine/index.ts";
import { atLeast, atMost, type BenchRow } from "./row.ts";
import { Workplace } from "./workplace.ts";

const files = 10_000;

/** 10,000 files of which nothing, or one, has changed. */
export async function rerunRows(): Promise<readonly BenchRow[]> {
  using place = new Workplace();
  writeFiles(place.docs);
  place.configure({ embedder: "{ type: lexical, native_dimension: 64 }" });
  await place.run();
  // Files younger than two seconds are read again; the next run finds them old enough.
  await new Promise((resolve) => {
    setTimeout(resolve, 2500);
  });
  await place.run();
  const unchanged = await best(place, 3);
  appendFileSync(join(place.docs, "0", "7.md"), "\nA changed line.\n");
  const one = await place.run();
  if (one.summary.documents.updated !== 1) throw new Error("One document should have changed.");
  const rate = files / unchanged;
  return [
    atLeast({
      name: "unchanged re-run of 10,000 files",
      unit: "files/s decided",
      reach: 20_000,
      reached: rate,
      note: `${unchanged.toFixed(2)} s without process start; best of 3; no document was opened`,
    }),
    atMost({
      name: "one change in 10,000 files",
      unit: "s beyond the unchanged run",
      reach: 1.5,
      reached: one.seconds - unchanged,
      note: `${one.seconds.toFixed(2)} s in all`,
    }),
  ];
}

async function best(place: Workplace, rounds: number): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    let opened = 0;
    const observe = (event: RunEvent): void => {
      if (event.kind === "document-settled") opened += 1;
    };
    const { seconds, summary } = await place.run({ observe });
    if (summary.documents.unchanged !== files || opened > 0) {
      throw new Error(`${opened} documents were opened; ${summary.documents.unchanged} unchanged.`);
    }
    least = Math.min(least, seconds);
  }
  return least;
}

function writeFiles(folder: string): void {
  for (let file = 0; file < files; file += 1) {
    const path = join(folder, String(Math.floor(file / 1000)));
    if (file % 1000 === 0) mkdirSync(path, { recursive: true });
    writeFileSync(join(path, `${file}.md`), `# Page ${file}\n\nText of page ${file}.\n`);
  }
}
