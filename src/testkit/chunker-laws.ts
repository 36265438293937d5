import type { Block } from "../contracts/index.ts";
import { abortedSignal, checkEqual, checkPrompt, checkRejects, checkThat } from "./check.ts";
import { collect, streamOf } from "./check.ts";
import { alignChunks, checkRepeated } from "./chunk-alignment.ts";
import { chunkSample, chunkerSamples, paragraph, tokenizerOf } from "./chunker-harness.ts";
import type { ChunkerHarness } from "./chunker-harness.ts";
import { bindLaws, lawBook, type Law } from "./law.ts";

const book = lawBook<ChunkerHarness>();
const { law, lawWith } = book;

for (const sample of chunkerSamples) {
  law(`loses and doubles nothing of ${sample.name}`, async (harness, context) => {
    const chunks = await chunkSample(harness, await harness.chunker(context), sample, context);
    alignChunks(sample.blocks, chunks, sample.name);
    checkRepeated(sample.blocks, chunks, sample.name);
  });

  law(`counts the tokens of ${sample.name} exactly`, async (harness, context) => {
    const chunks = await chunkSample(harness, await harness.chunker(context), sample, context);
    const tokenizer = await tokenizerOf(harness);
    const counts = await tokenizer.countBatch(chunks.map((chunk) => chunk.context + chunk.text));
    checkEqual(
      chunks.map((chunk) => chunk.tokens),
      counts,
      "the tokens of the chunks",
    );
  });

  lawWith(["maxTokens"], `keeps its bound in ${sample.name}`, async (harness, context) => {
    const chunks = await chunkSample(harness, await harness.chunker(context), sample, context);
    const tokens = Math.max(...chunks.map((chunk) => chunk.tokens));
    const { maxTokens } = harness;
    checkThat(tokens <= maxTokens, "the largest chunk", tokens, `at most ${maxTokens} tokens`);
  });
}

law(
  "makes well-formed chunks with the headings and page of their first block",
  async (harness, context) => {
    const chunker = await harness.chunker(context);
    for (const sample of chunkerSamples) {
      const chunks = await chunkSample(harness, chunker, sample, context);
      for (const [index, { chunk, firstBlocks }] of alignChunks(
        sample.blocks,
        chunks,
        sample.name,
      ).entries()) {
        const what = `chunk ${index} of "${sample.name}"`;
        checkEqual(chunk.text.isWellFormed(), true, `whether ${what} is well-formed`);
        const headings = firstBlocks.map((block) => JSON.stringify(block.headings));
        const own = JSON.stringify(chunk.headings);
        checkThat(headings.includes(own), `the headings of ${what}`, own, headings.join(" or "));
        const pages = firstBlocks.map((block) => block.page);
        const known = pages.includes(chunk.page);
        checkThat(known, `the page of ${what}`, chunk.page, `${pages.join(" or ")}`);
        const closed = chunk.context === "" || chunk.context.endsWith("\n");
        checkThat(
          closed,
          `the context of ${what}`,
          chunk.context,
          "empty, or ending with a line end",
        );
      }
    }
  },
);

law("makes the same chunks again, and from another chunker", async (harness, context) => {
  const [first, second] = [await harness.chunker(context), await harness.chunker(context)];
  for (const sample of chunkerSamples) {
    const once = await chunkSample(harness, first, sample, context);
    checkEqual(await chunkSample(harness, first, sample, context), once, `"${sample.name}" again`);
    const other = await chunkSample(harness, second, sample, context);
    checkEqual(other, once, `"${sample.name}" by another chunker`);
  }
});

law("keeps documents apart that are chunked at the same time", async (harness, context) => {
  const chunker = await harness.chunker(context);
  const samples = chunkerSamples.slice(0, 6);
  const alone = [];
  for (const sample of samples) alone.push(await chunkSample(harness, chunker, sample, context));
  const together = await Promise.all(
    samples.map((sample) => chunkSample(harness, chunker, sample, context)),
  );
  checkEqual(together, alone, "the chunks of all samples");
});

law("makes no chunk of a document without blocks", async (harness, context) => {
  const chunker = await harness.chunker(context);
  const sample = { name: "nothing", title: "Nothing", blocks: [] };
  checkEqual(await chunkSample(harness, chunker, sample, context), [], "the chunks");
});

lawWith(
  ["windowBlocks"],
  "gives its first chunk before it has read the document",
  async (harness, context) => {
    const chunker = await harness.chunker(context);
    let read = 0;
    const blocks = endless(() => (read += 1));
    const tokenizer = await tokenizerOf(harness);
    for await (const chunk of chunker.chunk(blocks, { tokenizer }, context.signal)) {
      checkThat(chunk.text !== "", "the first chunk", chunk, "some text");
      break;
    }
    const { windowBlocks } = harness;
    checkThat(read <= windowBlocks, "the blocks read", read, `at most ${windowBlocks}`);
  },
);

law("closes the blocks when its reader stops early", async (harness, context) => {
  const chunker = await harness.chunker(context);
  const tokenizer = await tokenizerOf(harness);
  let closed = false;
  async function* blocks(): AsyncGenerator<Block> {
    try {
      for (let number = 0; number < 50; number += 1)
        yield paragraph(`Number ${number}. `.repeat(9));
    } finally {
      closed = true;
    }
  }
  for await (const chunk of chunker.chunk(blocks(), { tokenizer }, context.signal)) {
    if (chunk.text !== "") break;
  }
  checkEqual(closed, true, "whether the blocks were closed");
});

law("ends promptly with a rejection when its signal aborts", async (harness, context) => {
  const chunker = await harness.chunker(context);
  const tokenizer = await tokenizerOf(harness);
  const controller = new AbortController();
  const blocks = endless((count) => {
    if (count === 100) controller.abort(new Error("The law aborts."));
  });
  const chunks = collect(chunker.chunk(blocks, { tokenizer }, controller.signal));
  const outcome = await checkPrompt(chunks, "the aborted document");
  checkThat("error" in outcome, "the aborted document", outcome, "a rejection");
  const never = chunker.chunk(streamOf([paragraph("Text.")]), { tokenizer }, abortedSignal());
  await checkRejects(collect(never), "a document whose signal had aborted");
});

law("passes on the error of the blocks", async (harness, context) => {
  const chunker = await harness.chunker(context);
  const tokenizer = await tokenizerOf(harness);
  const broken = new Error("The law breaks the blocks.");
  async function* blocks(): AsyncGenerator<Block> {
    yield paragraph("Text.");
    throw broken;
  }
  const chunks = collect(chunker.chunk(blocks(), { tokenizer }, context.signal));
  const error = await checkRejects(chunks, "a document whose blocks break");
  checkEqual(error === broken, true, "whether the error is that of the blocks");
});

law("closes twice", async (harness, context) => {
  const chunker = await harness.chunker(context);
  await chunker.close();
  await chunker.close();
});

/** Blocks without end; yields to timers now and then. */
async function* endless(onRead: (count: number) => void): AsyncGenerator<Block> {
  for (let count = 1; ; count += 1) {
    onRead(count);
    if (count % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    yield paragraph(`Paragraph ${count} says something short and then ends.`);
  }
}

/** What every chunker promises. */
export function chunkerLaws(harness: ChunkerHarness): Law[] {
  return bindLaws(harness, book.definitions);
}
