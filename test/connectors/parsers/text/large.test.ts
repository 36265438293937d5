import { execFile } from "node:child_process";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { loadPipeline, run } from "../../../../src/index.ts";

const megabyte = 1024 * 1024;
const program = fileURLToPath(new URL("read-large.ts", import.meta.url));
const paragraph = "A sentence of the log. And another one, with an ü.\n".repeat(40);

/** Parts of about a megabyte, to be repeated. */
const shapes = {
  "of many paragraphs": `${paragraph}\n`.repeat(500),
  "of one paragraph": paragraph.repeat(500),
  "of one line": paragraph.replaceAll("\n", " ").repeat(500),
};

test.each(Object.entries(shapes))(
  "a text file of 120 MB %s passes from source to blocks within 48 MB of heap",
  async (_shape, part) => {
    const folder = await makeFolder();
    const { bytes, units } = await writeParts(join(folder, "large.txt"), part);
    expect(bytes).toBeGreaterThan(120 * megabyte);
    const node = ["--max-old-space-size=48", "--max-semi-space-size=8"];
    const args = [...node, program, join(folder, "p.yaml")];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const read = JSON.parse(stdout) as { units: number; warnings: string[]; maxBytes: number };
    expect(read.warnings).toEqual([]);
    // Nothing is lost but white space around paragraphs.
    expect(read.units).toBeGreaterThan(units * 0.99);
    expect(read.units).toBeLessThanOrEqual(units);
    expect(read.maxBytes).toBeLessThan(220 * megabyte);
  },
);

test("`limits.max_document_mb` does not hold for text, as it does for Markdown", async () => {
  const folder = await makeFolder("limits: { max_document_mb: 1 }\n");
  for (const name of ["log.txt", "page.md"]) {
    await writeFile(join(folder, name), shapes["of many paragraphs"].repeat(2));
  }
  const { summary } = await run(await loadPipeline(join(folder, "p.yaml")));
  expect(summary.documents.added).toBe(1);
  expect(summary.failures).toMatchObject([{ document: "docs:page.md", code: "parse.too-large" }]);
});

async function makeFolder(more = ""): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-large-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(
    join(folder, "p.yaml"),
    `version: 1
name: large
sources:
  docs: { type: files, root: . }
embedder: { type: lexical }
sinks:
  here: { type: memory, collection: large }
${more}`,
  );
  return folder;
}

/** Repeats a part until the file is a little over 120 MB. */
async function writeParts(file: string, part: string): Promise<{ bytes: number; units: number }> {
  const block = Buffer.from(part);
  const count = Math.ceil((121 * megabyte) / block.length);
  await using handle = await open(file, "w");
  for (let written = 0; written < count; written += 1) await handle.write(block);
  return { bytes: block.length * count, units: part.length * count };
}
