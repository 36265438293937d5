import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Tokenizer } from "tokenizers";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { Runtime } from "../../../../../connectors/embedders/qwen3/runtime/index.ts";
import { type LayoutName, layouts } from "./layouts.ts";
import {
  goldens,
  imEndId,
  noAbort,
  normalised,
  optionsOf,
  padId,
  rows,
  tinyFolder,
  tinyModel,
  wrongOnes,
} from "./tiny-model.ts";

const tokenizerFile = fileURLToPath(new URL("tokenizer.json", tinyFolder));

type Row = Int32Array | undefined;

function openWith(layout: LayoutName, model = "model"): Promise<Runtime> {
  vi.stubEnv("MISTAKEN_LAYOUT", layout);
  const file = new URL("./mistaken-worker.ts", import.meta.url);
  return Runtime.open(optionsOf(tinyModel(model)), noAbort, file);
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("the self-test", () => {
  const refused: readonly LayoutName[] = [
    "right_padding_last_place",
    "right_padding_no_mask",
    "left_padding_no_mask",
    "left_padding_mask_sum_as_place",
  ];

  it.each(refused)("refuses %s", async (layout) => {
    await expect(openWith(layout)).rejects.toMatchObject({
      code: "embed.device",
      message: expect.stringMatching(/has another vector among longer ones than alone/),
    });
  });

  it("refuses left padding where attention is fused", async () => {
    await expect(openWith("left_padding_in_gqa_graph", "model_kv_gqa")).rejects.toMatchObject({
      code: "embed.device",
    });
  });

  it("accepts positions that count the padding in a plain graph, which gives the same vectors", async () => {
    const runtime = await openWith("left_padding_no_position_ids");
    const vectors = await runtime.run(rows, noAbort);
    expect(wrongOnes(vectors, goldens.tolerance.fp32)).toEqual([]);
    await runtime.close();
  });

  it("accepts the right layout in a thread made for mistakes", async () => {
    const runtime = await openWith("right");
    await runtime.close();
    expect(Object.keys(layouts)).toContain("right");
  });
});

describe("the golden vectors", () => {
  let runtime: Runtime;
  const tokenizer = Tokenizer.fromFile(tokenizerFile);

  beforeAll(async () => {
    runtime = await Runtime.open(optionsOf(), noAbort);
  });
  afterAll(() => runtime.close());

  /** The golden texts that a mistake leaves right, of those that it changes. */
  async function unnoticed(
    mistake: (row: Int32Array, index: number) => Row | Promise<Row>,
  ): Promise<string[]> {
    const mistaken = await Promise.all(rows.map(mistake));
    const changed = [...rows.entries()].flatMap(([index, row]) => {
      const made = mistaken[index];
      return made === undefined || String(made) === String(row) ? [] : [{ index, row: made }];
    });
    expect(changed.length).toBeGreaterThan(0);
    const vectors = await runtime.run(
      changed.map(({ row }) => row),
      noAbort,
    );
    const expected = changed.map(({ index }) => goldens.items[index]!);
    const wrong = wrongOnes(vectors, goldens.tolerance.fp32, expected);
    return expected.map(({ name }) => name).filter((name) => !wrong.includes(name));
  }

  async function encoded(text: string): Promise<Int32Array> {
    const encoding = await tokenizer.encode(text);
    return Int32Array.from(encoding.getIds());
  }

  function queryOnly(change: (text: string) => string) {
    return async (_: Int32Array, index: number): Promise<Row> => {
      const { kind, text } = goldens.items[index]!;
      return kind === "query" ? await encoded(change(text)) : undefined;
    };
  }

  it("are met by the ids that the tokenizer gives", async () => {
    const ids = await Promise.all(goldens.items.map(({ text }) => encoded(text)));
    expect(ids.map((row) => [...row])).toEqual(goldens.items.map((item) => item.ids));
  });

  const ofIds: readonly (readonly [string, (row: Int32Array) => Int32Array | undefined])[] = [
    ["missing_eos", (row) => (row.length > 1 ? row.slice(0, -1) : undefined)],
    ["im_end_in_place_of_eos", (row) => Int32Array.of(...row.slice(0, -1), imEndId)],
    ["im_end_after_eos", (row) => Int32Array.of(...row, imEndId)],
    // A text of nothing but its end has the same state after a second one, as it attends to its like only.
    ["eos_twice", (row) => (row.length > 1 ? Int32Array.of(...row, padId) : undefined)],
    ["truncate_drops_eos", (row) => (row.length > 32 ? row.slice(0, 32) : undefined)],
  ];
  it.each(ofIds)("catch %s in every text", async (_, mistake) => {
    expect(await unnoticed(mistake)).toEqual([]);
  });

  it("catch a space after `Query:`, and a query without its instruction", async () => {
    expect(await unnoticed(queryOnly((text) => text.replace("Query:", "Query: ")))).toEqual([]);
    const bare = queryOnly((text) => text.replace(/^Instruct: [^\n]*\nQuery:/, ""));
    expect(await unnoticed(bare)).toEqual([]);
  });

  it("catch a text that is trimmed before it is cut into tokens", async () => {
    expect(await unnoticed((_, index) => encoded(goldens.items[index]!.text.trim()))).toEqual([]);
  });

  it("catch a tokenizer without NFC", async () => {
    const { text } = goldens.items.find(({ name }) => name === "accents-nfd")!;
    const plain = Tokenizer.fromString(
      JSON.stringify({ ...JSON.parse(readFileSync(tokenizerFile, "utf8")), normalizer: null }),
    );
    const encoding = await plain.encode(text);
    const wrong = Int32Array.from(encoding.getIds());
    const only = (_: Int32Array, index: number): Row =>
      goldens.items[index]!.text === text ? wrong : undefined;
    expect(await unnoticed(only)).toEqual([]);
  });

  it("catch pooling by mean and by the first token, which the self-test cannot", async () => {
    // A token sees only those before it, so the states of a text are the vectors of its beginnings.
    const index = goldens.items.findIndex(({ name }) => name === "sentence-1");
    const item = goldens.items[index]!;
    const beginnings = item.ids.map((_, end) => Int32Array.from(item.ids.slice(0, end + 1)));
    const states = await runtime.run(beginnings, noAbort);
    const mean = states[0]!.map((_, place) => {
      const sum = states.reduce((total, state) => total + state[place]!, 0);
      return sum / states.length;
    });
    const { fp32 } = goldens.tolerance;
    expect(wrongOnes([mean], fp32, [item])).toEqual([item.name]);
    expect(wrongOnes([states[0]!], fp32, [item])).toEqual([item.name]);
    expect(wrongOnes([states.at(-1)!], fp32, [item])).toEqual([]);
  });

  it("catch, by its length, a vector that is normalised before it is cut", async () => {
    const [vector] = await runtime.run([rows[6]!], noAbort);
    expect(Math.hypot(...normalised(vector!).slice(0, 32))).toBeLessThan(0.99);
    expect(Math.hypot(...normalised(vector!.slice(0, 32)))).toBeCloseTo(1, 5);
  });
});
