import type { Embedder } from "../contracts/index.ts";
import { cutText, mergeParts } from "../embedding/index.ts";
import { checkAlike, checkEqual, checkThat } from "./check.ts";
import type { EmbedderHarness } from "./embedder-harness.ts";
import { type LawContext, lawBook } from "./law.ts";

const book = lawBook<EmbedderHarness>();
const { lawWith } = book;

const short = ["A short text.", "Another one, of a few words more.", "x"];

lawWith(["inParts"], "tells one part for every short text", async (harness, context) => {
  const embedder = await harness.inParts.embedder(context);
  checkEqual(
    await partsOf(embedder, short, context),
    short.map(() => 1),
    "the parts of short texts",
  );
  checkEqual(await partsOf(embedder, [], context), [], "the parts of no texts");
});

lawWith(
  ["inParts"],
  "tells the same parts for a text whatever came before it",
  async (harness, context) => {
    const embedder = await harness.inParts.embedder(context);
    const { text: long } = harness.inParts;
    const [alone = 0] = await partsOf(embedder, [long], context);
    checkThat(alone > 1, "the parts of the long text", alone, "more than one");
    const among = await partsOf(embedder, [...short, long, `${long} ${long}`, long], context);
    checkEqual([among[3], among[5]], [alone, alone], "the parts of the long text among others");
    await embedder.embed([long], "document", context.signal);
    await embedder.embed([...short, `${long} ${long}`], "document", context.signal);
    checkEqual(await partsOf(embedder, [long], context), [alone], "its parts once it was embedded");
    const other = await harness.inParts.embedder(context);
    checkEqual(await partsOf(other, [long], context), [alone], "its parts by another embedder");
  },
);

lawWith(
  ["inParts"],
  "gives a text in parts one vector of native length: the mean of its parts, by tokens",
  async (harness, context) => {
    const embedder = await harness.inParts.embedder(context);
    const { native } = (await embedder.open(context.signal)).dimensions;
    const { text: long } = harness.inParts;
    const texts = [short[0] ?? "", long, short[1] ?? ""];
    const { vectors } = await embedder.embed(texts, "document", context.signal);
    checkEqual(vectors.length, texts.length, "the vectors");
    for (const vector of vectors) checkEqual(vector.length, native, "the length of a vector");
    const parts = await cutText(long, embedder.tokenizer, harness.inParts.partTokens);
    checkEqual([parts.length], await partsOf(embedder, [long], context), "the parts of the text");
    const weighed: { vector: Float32Array; tokens: number }[] = [];
    for (const { text, tokens } of parts) {
      const { vectors: own } = await embedder.embed([text], "document", context.signal);
      weighed.push({ vector: own[0] ?? new Float32Array(native), tokens });
    }
    checkAlike(vectors[1], mergeParts(weighed), "a text in parts and the mean of its parts");
  },
);

lawWith(
  ["inParts"],
  "gives short texts the vectors that they have where nothing is cut",
  async (harness, context) => {
    const embedder = await harness.inParts.embedder(context);
    const plain = await harness.embedder(context);
    await plain.open(context.signal);
    const texts = [...short, harness.inParts.text];
    const { vectors } = await embedder.embed(texts, "document", context.signal);
    const { vectors: whole } = await plain.embed(short, "document", context.signal);
    for (const [index, vector] of whole.entries())
      checkAlike(vectors[index], vector, "a short text");
  },
);

async function partsOf(
  embedder: Embedder,
  texts: readonly string[],
  { signal }: LawContext,
): Promise<readonly number[]> {
  await embedder.open(signal);
  return (await embedder.parts?.(texts, signal)) ?? [];
}

/** What an embedder promises that embeds texts in parts. */
export const partsLaws = book.definitions;
