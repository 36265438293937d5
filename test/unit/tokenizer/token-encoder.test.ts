import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { TokenEncoder } from "../../../src/tokenizer/index.ts";
import { nativeTokenizer, qwen3Path } from "./native-oracle.ts";
import { publishedIds, publishedVectors } from "./published-vectors.ts";
import { nastyText } from "./texts.ts";

const signal = new AbortController().signal;
const tiny = "test/fixtures/tiny-qwen3";

interface Golden {
  readonly name: string;
  readonly text: string;
  readonly ids: readonly number[];
}

async function open(path: string): Promise<TokenEncoder> {
  const encoder = await TokenEncoder.open(path, signal);
  onTestFinished(() => encoder.close());
  return encoder;
}

function fileWith(change: (file: Record<string, unknown>) => void): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-tokenizer-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = JSON.parse(readFileSync(`${tiny}/tokenizer.json`, "utf8")) as Record<
    string,
    unknown
  >;
  change(file);
  const path = join(folder, "tokenizer.json");
  writeFileSync(path, JSON.stringify(file));
  return path;
}

describe("the token encoder with Qwen3's own tokenizer", () => {
  let encoder: TokenEncoder;
  beforeAll(async () => {
    encoder = await TokenEncoder.open(qwen3Path, signal);
  }, 30_000);
  afterAll(() => encoder.close());

  async function expectNative(texts: readonly string[]): Promise<void> {
    const wellFormed = texts.map((text) => text.toWellFormed());
    const native = await nativeTokenizer().encodeBatch(wellFormed, { addSpecialTokens: false });
    const ids = await encoder.encode(texts, signal);
    for (const [index, text] of texts.entries()) {
      expect([...(ids[index] ?? [])], text).toEqual([...(native[index]?.getIds() ?? [])]);
    }
    const counts = await encoder.tokenizer.countBatch(texts);
    expect(ids.map((row) => row.length)).toEqual(counts);
  }

  it("gives the published ids of the 46 test vectors", async () => {
    const ids = await encoder.encode(
      publishedVectors.map(([, text]) => text),
      signal,
    );
    expect(ids.map((row) => [...row])).toEqual(publishedIds);
  });

  it("gives the ids of the native tokenizer for nasty texts", async () => {
    await fc.assert(fc.asyncProperty(fc.array(nastyText, { maxLength: 20 }), expectNative), {
      numRuns: 200,
    });
  }, 30_000);

  it("gives the ids of the native tokenizer for long words, long texts and what was seen before", async () => {
    const readme = readFileSync("docs/architecture.md", "utf8");
    const texts = ["a".repeat(5_000), "漢字".repeat(3_000), "é".repeat(999), readme, readme];
    await expectNative([...texts, readme.replaceAll(/\s+/g, " ").repeat(4)]);
  });

  it("tells that its file names no token to append, and which one ends a text", () => {
    expect(encoder.special).toBeUndefined();
    expect(encoder.endOfText).toBe(151_643);
    expect(encoder.largestId).toBe(151_668);
  });

  it("keeps calls at the same time apart, and goes on after one was aborted", async () => {
    const aborted = new AbortController();
    const late = encoder.encode(["x ".repeat(100_000)], aborted.signal);
    const calls = ["one", "two", "three"].map((text) => encoder.encode([text], signal));
    aborted.abort(new Error("not needed"));
    await expect(late).rejects.toThrow("not needed");
    const ids = await Promise.all(calls);
    const alone = await encoder.encode(["one", "two", "three"], signal);
    expect(ids.map(([row]) => row)).toEqual(alone);
  });
});

describe("the token encoder", () => {
  it("gives the ids of every golden text of the tiny model, with what its post-processor adds", async () => {
    const encoder = await open(`${tiny}/tokenizer.json`);
    const goldens = JSON.parse(readFileSync(`${tiny}/goldens.json`, "utf8")) as {
      readonly items: readonly Golden[];
    };
    expect(encoder.special).toEqual({ before: [], after: [2256] });
    const ids = await encoder.encode(
      goldens.items.map(({ text }) => text),
      signal,
    );
    for (const [index, { name, ids: expected }] of goldens.items.entries()) {
      expect([...(ids[index] ?? []), ...(encoder.special?.after ?? [])], name).toEqual(expected);
    }
  });

  it("encodes tokenizers of another kind with the native package", async () => {
    const path = fileWith((file) => {
      file["normalizer"] = { type: "NFKC" };
    });
    const other = await open(path);
    const own = await open(`${tiny}/tokenizer.json`);
    const texts = ["Hello world", "", "\ud800 lone"];
    expect(await other.encode(texts, signal)).toEqual(await own.encode(texts, signal));
    expect(await other.encode(["①"], signal)).not.toEqual(await own.encode(["①"], signal));
    expect(other.special).toEqual({ before: [], after: [2256] });
    expect(other.tokenizer.id).not.toBe(own.tokenizer.id);
  });

  it("reads the special tokens of the BERT kind", async () => {
    const path = fileWith((file) => {
      file["post_processor"] = { type: "BertProcessing", sep: ["[SEP]", 7], cls: ["[CLS]", 5] };
    });
    expect((await open(path)).special).toEqual({ before: [5], after: [7] });
  });

  it("refuses a file that is missing, no JSON, or no tokenizer, and names it", async () => {
    const cases = [
      ["/nowhere/tokenizer.json", "ENOENT"],
      ["package.json", "no vocabulary"],
      ["README.md", "JSON"],
    ] as const;
    for (const [path, reason] of cases) {
      const opening = TokenEncoder.open(path, signal);
      await expect(opening).rejects.toMatchObject({ code: "embed.model" });
      await expect(opening).rejects.toThrow(reason);
      await expect(opening).rejects.toThrow(path);
    }
  });

  it("starts another thread when its own has died, and says that the call may be repeated", async () => {
    const encoder = await open(`${tiny}/tokenizer.json`);
    const [before] = await encoder.encode(["Hello world"], signal);
    const deadly = encoder.encode([null as never], signal);
    const beside = encoder.encode(["Hello world"], signal);
    for (const call of [deadly, beside]) {
      await expect(call).rejects.toMatchObject({ code: "embed.failed", retry: "later" });
    }
    const again = [encoder.encode(["Hello world"], signal), encoder.encode(["Hello"], signal)];
    expect((await Promise.all(again))[0]?.[0]).toEqual(before);
  });

  it("refuses a file that was changed while it was in use", async () => {
    const path = fileWith(() => undefined);
    const encoder = await open(path);
    await expect(encoder.encode([null as never], signal)).rejects.toThrow(/has died/);
    writeFileSync(path, readFileSync(path, "utf8").replace("NFC", "NFD"));
    await expect(encoder.encode(["x"], signal)).rejects.toThrow(/was changed while it was in use/);
  });

  it("refuses calls once it is closed, also those under way", async () => {
    const encoder = await open(`${tiny}/tokenizer.json`);
    const under = encoder.encode(["some words ".repeat(50_000)], signal);
    const closing = encoder.close();
    await expect(under).rejects.toMatchObject({ code: "aborted" });
    await closing;
    await expect(encoder.encode(["x"], signal)).rejects.toMatchObject({ code: "aborted" });
    await encoder.close();
  });
});
