import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type GoldenVectors, readGoldenFile } from "../../../../src/models/verify/golden-file.ts";
import {
  type Verification,
  verifyEmbedder,
} from "../../../../src/models/verify/verify-embedder.ts";
import { serveVectors } from "../support/serve-vectors.ts";

const path = fileURLToPath(new URL("../../../fixtures/tiny-qwen3/goldens.json", import.meta.url));
const golden = await readGoldenFile(path);
const signal = new AbortController().signal;

/** Verifies a server that knows the golden vectors, with some of them replaced by others; it refuses empty ones. */
async function verify(
  replaced: ReadonlyMap<string, readonly number[]>,
  file: GoldenVectors = golden,
  config: Readonly<Record<string, unknown>> = {},
): Promise<Verification> {
  const byText = new Map(
    golden.items.map(({ name, text, vector }) => [text, replaced.get(name) ?? vector]),
  );
  const other = golden.items[0]?.vector ?? [];
  await using served = await serveVectors(
    (texts) => {
      if (texts.some((text) => byText.get(text)?.length === 0)) return undefined;
      return {
        vectors: texts.map(
          (text) =>
            byText.get(text) ?? other.map((value, index) => value * Math.sin(index + text.length)),
        ),
      };
    },
    { model: "tiny", query_instruction: `${golden.query_prompt}{query}`, ...config },
  );
  return await verifyEmbedder(served.embedder, { precision: "fp32", golden: file }, signal);
}

/** A little away from where it was. */
function turned(vector: readonly number[]): number[] {
  return vector.map((value, at) => value + (at % 2) * 6e-3);
}

function goldenCheck({ checks }: Verification) {
  return checks.find(({ name }) => name === "golden vectors");
}

function angle(one: readonly number[], other: readonly number[]): number {
  const product = one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0);
  return product / (Math.hypot(...one) * Math.hypot(...other));
}

const visible = Object.entries(golden.wrong).flatMap(([key, { example }]) => {
  const item = golden.items.find(({ name }) => name === example?.name);
  const seen =
    example !== undefined && item !== undefined && angle(example.vector, item.vector) < 0.999;
  return seen ? [[key, example] as const] : [];
});

describe("golden vectors", () => {
  it("of the tiny model pass, queries dressed by the embedder", async () => {
    const found = await verify(new Map());
    expect(goldenCheck(found)).toMatchObject({ verdict: "right" });
    expect(goldenCheck(found)?.detail).toContain(
      `${golden.items.length} of ${golden.items.length}`,
    );
  });

  it("show fifteen of the mistakes that are known", () => {
    expect(visible).toHaveLength(15);
  });

  it.each(visible)("name the mistake %s by what it gives", async (key, { name, vector }) => {
    const found = await verify(new Map([[name, vector]]));
    expect(goldenCheck(found)).toMatchObject({
      verdict: "wrong",
      detail: expect.stringContaining(name),
    });
    const names: Readonly<Record<string, string>> = {
      missing_eos: "missing-end-token",
      right_padding_no_mask: "padding-without-mask",
      left_padding_no_mask: "padding-without-mask",
      left_padding_mask_sum_as_place: "left-padding",
      left_padding_in_gqa_graph: "left-padding",
    };
    const expected = names[key] ?? key.replaceAll("_", "-");
    expect(found.findings.map(({ mistake }) => mistake)).toEqual([expected]);
  });

  it("that are refused count as missed, and what the others tell is still told", async () => {
    const refused = await verify(new Map([["empty", []]]));
    expect(goldenCheck(refused)).toMatchObject({ verdict: "wrong" });
    expect(goldenCheck(refused)?.detail).toMatch(
      /^31 of 32 texts, lowest cosine 1\.0+, 1 refused, .*`empty`/,
    );
    const { example } = golden.wrong["missing_eos"] ?? {};
    const wrong = new Map([
      ["empty", []],
      [example?.name ?? "", example?.vector ?? []],
    ]);
    const found = await verify(wrong);
    expect(found.findings.map(({ mistake }) => mistake)).toEqual(["missing-end-token"]);
  });

  it("that only queries miss point at the prompt when no example tells", async () => {
    const bare = { ...golden, wrong: {} };
    const found = await verify(new Map(), bare, { query_instruction: "search: " });
    expect(found.suspects.map(({ mistake }) => mistake)).toEqual([
      "space-after-query",
      "no-instruction",
    ]);
  });

  it("that all miss by little tell the precision that the weights may have", async () => {
    const near = new Map(golden.items.map(({ name, vector }) => [name, turned(vector)]));
    const lowest = Math.min(...golden.items.map(({ vector }) => angle(vector, turned(vector))));
    expect([lowest > 0.998, lowest < 0.9999]).toEqual([true, true]);
    const found = await verify(near);
    expect(goldenCheck(found)).toMatchObject({
      verdict: "wrong",
      detail: expect.stringContaining("enough for `--precision q8`"),
    });
    expect(found.findings.map(({ mistake }) => mistake)).toEqual(["coarser-weights"]);
    expect(found.suspects).toEqual([]);
  });

  it("of another length are another model's", async () => {
    const items = golden.items.map((item) => ({ ...item, vector: item.vector.slice(0, 32) }));
    const found = await verify(new Map(), { ...golden, items });
    expect(found.right).toBe(false);
    expect(goldenCheck(found)?.detail).toContain("64");
  });

  it.each([
    ["is not there", undefined, "ENOENT"],
    ["is not JSON", "{", "it is not JSON"],
    ["has another shape", '{"items":[{"name":"x"}]}', "items.0.kind"],
    ["has no items", '{"items":[]}', "items"],
  ])("are refused from a file that %s", async (_, text, said) => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-golden-"));
    try {
      const file = join(folder, "golden.json");
      if (text !== undefined) await writeFile(file, text);
      await expect(readGoldenFile(file)).rejects.toMatchObject({
        code: "config.invalid",
        message: expect.stringContaining(said),
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
