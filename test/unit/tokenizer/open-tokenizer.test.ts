import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as fc from "fast-check";
import { Tokenizer } from "tokenizers";
import { describe, expect, it } from "vitest";
import { deriveTokenizer } from "../../../scripts/derive-tokenizer.ts";
import { BytePairTokenizer } from "../../../src/tokenizer/byte-pair-tokenizer.ts";
import { openTokenizer, qwen3Tokenizer } from "../../../src/tokenizer/index.ts";
import { loadQwen3, readPackageFile } from "../../../src/tokenizer/qwen3.ts";
import { nativeCounts, qwen3Path } from "./native-oracle.ts";
import { nastyText } from "./texts.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-tokenizer-"));

interface TokenizerFile {
  pre_tokenizer: unknown;
  normalizer: unknown;
  added_tokens: unknown[];
  model: { merges: [string, string][]; vocab: Record<string, number> };
}

function qwen3File(): TokenizerFile {
  return JSON.parse(readFileSync(qwen3Path, "utf8")) as TokenizerFile;
}

/** Qwen3's tokenizer with its first merges only: fast to load. */
function smallFile(): TokenizerFile {
  const file = qwen3File();
  const size = 256 + 3000;
  const vocab = Object.entries(file.model.vocab).filter(([, id]) => id < size);
  file.model.vocab = Object.fromEntries(vocab);
  file.model.merges = file.model.merges.slice(0, 3000);
  file.added_tokens = [];
  return file;
}

function write(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

async function countsOf(path: string, texts: string[]): Promise<number[]> {
  const native = Tokenizer.fromFile(path);
  const encodings = await native.encodeBatch(texts, { addSpecialTokens: false });
  return encodings.map((encoding) => encoding.getLength());
}

describe("openTokenizer", () => {
  it("gives the shared Qwen3 tokenizer for its id", async () => {
    expect(await openTokenizer("qwen3")).toBe(qwen3Tokenizer());
  });

  it("counts another tokenizer of Qwen's kind like the native one", async () => {
    const path = write("small.json", smallFile());
    const tokenizer = await openTokenizer(path);
    expect(tokenizer).toBeInstanceOf(BytePairTokenizer);
    await fc.assert(
      fc.asyncProperty(fc.array(nastyText, { maxLength: 10 }), async (texts) => {
        expect(await tokenizer.countBatch(texts)).toEqual(await countsOf(path, texts));
      }),
      { numRuns: 200 },
    );
  });

  it("counts a tokenizer of another kind by the native package, with borders in UTF-16", async () => {
    const file = smallFile();
    file.normalizer = { type: "Lowercase" };
    const path = write("other.json", file);
    const tokenizer = await openTokenizer(path);
    expect(tokenizer).not.toBeInstanceOf(BytePairTokenizer);
    await fc.assert(
      fc.asyncProperty(nastyText, async (text) => {
        const [expected] = await countsOf(path, [text]);
        expect(await tokenizer.countBatch([text])).toEqual([expected]);
        const [pieces] = await tokenizer.pieces([text]);
        expect(pieces?.ends.at(-1) ?? 0).toBe(text.length);
        expect(pieces?.counts.at(-1) ?? 0).toBe(expected);
        expect([...(pieces?.ends ?? [])]).toEqual(
          [...new Set(pieces?.ends ?? [])].toSorted((a, b) => a - b),
        );
      }),
      { numRuns: 200 },
    );
    const [pieces] = await tokenizer.pieces(["😀 hello 😀 world"]);
    expect([...(pieces?.ends ?? [])]).toContain("😀 hello".length);
  });

  it("names the content of the file and not its path", async () => {
    const one = await openTokenizer(write("one.json", smallFile()));
    const two = await openTokenizer(write("two.json", smallFile()));
    expect(one.id).toBe(two.id);
  });

  it("refuses a file that is missing, not JSON, or not a tokenizer, and names it", async () => {
    const missing = join(folder, "missing.json");
    await expect(openTokenizer(missing)).rejects.toMatchObject({ code: "config.invalid" });
    for (const content of ["{", '{"model": 1}', "", "[]"]) {
      const path = write("broken.json", content);
      await expect(openTokenizer(path)).rejects.toMatchObject({ code: "config.invalid" });
      await expect(openTokenizer(path)).rejects.toThrow(path);
    }
  });
});

describe("the compact Qwen3 tokenizer", () => {
  it("equals the file that it was made from and carries a notice", async () => {
    const asset = await deriveTokenizer(folder);
    const compact = await loadQwen3(pathToFileURL(asset));
    expect(compact).toEqual(await readPackageFile());
    expect(readFileSync(join(folder, "qwen3-tokenizer.NOTICE.txt"), "utf8")).toMatch(/Apache/u);
    const tokenizer = new BytePairTokenizer("compact", async () => compact);
    const texts = ["Hello world", "<|im_end|> naïve 漢字 😀"];
    expect(await tokenizer.countBatch(texts)).toEqual(await nativeCounts(texts));
  }, 60_000);

  it("is refused with its path when it is damaged", async () => {
    const path = write("damaged.br", "not brotli");
    await expect(loadQwen3(pathToFileURL(path))).rejects.toThrow(path);
  });
});
