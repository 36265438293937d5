import { describe, expect, it } from "vitest";
import {
  type Verification,
  verifyEmbedder,
  type VerifyOptions,
} from "../../../../src/models/verify/verify-embedder.ts";
import { serveVectors } from "../support/serve-vectors.ts";
import { toyTokens, toyVectors, type ToyMistakes } from "../support/toy-model.ts";

const model = "Qwen/Qwen3-Embedding-0.6B";
const signal = new AbortController().signal;

interface Setup {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly options?: Partial<VerifyOptions>;
  /** What the server says that a text has in tokens; the truth when left out. */
  readonly tokens?: (text: string) => number | undefined;
}

async function verify(wrong: ToyMistakes, setup: Setup = {}): Promise<Verification> {
  await using served = await serveVectors(
    (texts, dimensions) => {
      const count = setup.tokens ?? ((text) => toyTokens(text, wrong).length);
      const counts = texts.map((text) => count(text));
      const tokens = counts.reduce<number | undefined>(
        (sum, each) => (sum === undefined || each === undefined ? undefined : sum + each),
        0,
      );
      const vectors = toyVectors(texts, wrong).map((vector) => vector.slice(0, dimensions));
      return { vectors, ...(tokens === undefined ? {} : { tokens }) };
    },
    { model, ...setup.config },
  );
  return await verifyEmbedder(served.embedder, { precision: "fp32", ...setup.options }, signal);
}

function failed({ checks }: Verification): string[] {
  return checks.filter(({ verdict }) => verdict === "wrong").map(({ name }) => name);
}

describe("a server that is right", () => {
  it("passes every check that can be made of it", async () => {
    const found = await verify({});
    expect(found).toMatchObject({ right: true, findings: [], suspects: [] });
    const passed = found.checks.filter(({ verdict }) => verdict === "right");
    expect(passed.map(({ name }) => name)).toEqual([
      "published cosines",
      "slices",
      "end token",
      "prompts",
      "same text, same vector",
      "padding",
      "order",
    ]);
  });

  it("is not doubted for counting tokens in its own way, or not at all", async () => {
    expect(await verify({}, { tokens: () => 2 })).toMatchObject({ right: true });
    expect(await verify({}, { tokens: () => undefined })).toMatchObject({ right: true });
  });

  it("that takes one text at a time passes what can be asked of it", async () => {
    const found = await verify({}, { config: { max_batch_texts: 1 } });
    expect(found.right).toBe(true);
    expect(found.checks.find(({ name }) => name === "padding")?.verdict).toBe("skipped");
  });
});

describe("a mistake of the server", () => {
  it.each<[string, ToyMistakes, string]>([
    ["the mean of all states", { pooling: "mean" }, "mean-pooling"],
    ["the first token's state", { pooling: "first" }, "first-token-pooling"],
    ["no end token", { ending: "none" }, "missing-end-token"],
    [
      "the mean of all states, without an end token",
      { pooling: "mean", ending: "none" },
      "mean-pooling",
    ],
    ["padding read as text on the right", { padding: "read-right" }, "padding-without-mask"],
    ["padding read as text on the left", { padding: "read-left" }, "padding-without-mask"],
    ["another order", { order: "reversed" }, "other-order"],
  ])("is named: %s", async (_, wrong, mistake) => {
    const found = await verify(wrong);
    expect(found.right).toBe(false);
    expect(found.findings.map((finding) => finding.mistake)).toContain(mistake);
    expect(found.findings.map(({ certain }) => certain)).toContain(mistake !== "mean-pooling");
    const [first] = found.findings;
    expect(first?.evidence).not.toBe("");
    expect(first?.meaning).toMatch(/\.$/);
  });

  it("is named without published figures, too: no end token at another size of model", async () => {
    const config = { model: "a/Qwen3-Embedding-latest", native_dimension: 1024 };
    const found = await verify({ ending: "none" }, { config, tokens: () => 2 });
    expect(failed(found)).toEqual(["end token"]);
    expect(found.findings.map(({ mistake }) => mistake)).toEqual(["missing-end-token"]);
  });

  it.each<[string, ToyMistakes, string, string]>([
    [
      "the state at the place of padding",
      { padding: "last-place" },
      "padding",
      "right-padding-last-place",
    ],
    ["left padding in a fused graph", { padding: "left-garbled" }, "padding", "left-padding"],
    ["another end token", { ending: "im-end" }, "published cosines", "im-end-in-place-of-eos"],
    ["another model", { seed: "other" }, "published cosines", "other-model"],
    ["two end tokens", { ending: "twice" }, "end token", "eos-twice"],
    ["an end token more", { ending: "im-end-after" }, "end token", "im-end-after-eos"],
    ["a prompt of the server's own", { prefix: "passage: " }, "end token", "document-instruction"],
  ])("is among those that would explain it: %s", async (_, wrong, check, mistake) => {
    const found = await verify(wrong);
    expect(failed(found)).toContain(check);
    expect(found.suspects.map((suspect) => suspect.mistake)).toContain(mistake);
    expect(found.findings).toEqual([]);
  });

  it.each([
    ["mean", { pooling: "mean" }],
    ["first", { pooling: "first" }],
    ["other model", { seed: "other" }],
    ["twice", { ending: "twice" }],
    ["left", { padding: "read-left" }],
  ] as const)("is never taken for a missing end token: %s", async (_, wrong) => {
    const { findings } = await verify(wrong);
    expect(findings.map(({ mistake }) => mistake)).not.toContain("missing-end-token");
  });
});

describe("a mistake of the pipeline file", () => {
  it.each([
    ["Instruct: a task\nQuery: {query}", "space-after-query"],
    ["", "no-instruction"],
  ])("in the query's dress %j is named %s", async (instruction, mistake) => {
    const found = await verify({}, { config: { query_instruction: instruction } });
    expect(failed(found)).toEqual(["prompts"]);
    expect(found.findings.map((finding) => finding.mistake)).toEqual([mistake]);
  });

  it("in the documents' dress is named", async () => {
    const found = await verify({}, { config: { document_instruction: "passage: " } });
    expect(found.findings.map(({ mistake }) => mistake)).toEqual(["document-instruction"]);
  });

  it("is none when only the task is another", async () => {
    const found = await verify({}, { config: { query_instruction: "Find recipes" } });
    expect(found.right).toBe(true);
  });
});

describe("vectors that the server shortens", () => {
  it("are named when they were normalised before", async () => {
    const found = await verify({}, { config: { dimensions: 256 } });
    expect(failed(found)).toEqual(["shortened vectors"]);
    expect(found.findings.map(({ mistake }) => mistake)).toEqual(["normalise-before-slice"]);
  });

  it("are right when they have length 1 and the direction of the full vector's beginning", async () => {
    for (const [seed, right] of [
      ["", true],
      ["other", false],
    ] as const) {
      await using whole = await serveVectors(shortened(seed), { model });
      await using short = await serveVectors(shortened(seed), { model, dimensions: 256 });
      const options = { precision: "fp32", full: whole.embedder } as const;
      const found = await verifyEmbedder(short.embedder, options, signal);
      expect([seed, found.right]).toEqual([seed, right]);
    }
  });
});

describe("the tolerance", () => {
  it.each([
    ["fp32", 0.0005, true],
    ["fp32", 0.002, false],
    ["fp16", 0.002, true],
    ["fp16", 0.006, false],
    ["q8", 0.006, true],
    ["q8", 0.02, false],
  ] as const)("of %s lets a cosine be off by %f: %s", async (precision, by, right) => {
    await using served = await serveVectors(
      (texts) => ({ vectors: toyVectors(texts).map((vector) => turned(vector, by)) }),
      { model },
    );
    const found = await verifyEmbedder(served.embedder, { precision }, signal);
    const check = found.checks.find(({ name }) => name === "published cosines");
    expect(check?.verdict).toBe(right ? "right" : "wrong");
  });
});

/** The same vector for every text, but for the first query, which is turned so that a cosine changes by this much. */
function turned(vector: Float32Array, by: number): Float32Array {
  const isQuery = Math.abs((vector[0] ?? 0) - 0.7646) < 1e-6 && (vector[2] ?? 0) > 0;
  if (!isQuery) return vector;
  const other = Float32Array.from(vector);
  const first = 0.7646 + by;
  other[0] = first;
  other[2] = Math.sqrt(1 - first ** 2 - (other[1] ?? 0) ** 2);
  return other;
}

/** A server that shortens as it should; with a seed, to another model's vectors. */
function shortened(seed: string) {
  return (texts: readonly string[], dimensions: number | undefined) => ({
    vectors: toyVectors(texts, dimensions === 256 ? { seed } : {}).map((vector) => {
      const slice = vector.slice(0, dimensions);
      const length = Math.hypot(...slice);
      return slice.map((value) => value / length);
    }),
  });
}
