import type { Embedder, EmbeddingModel } from "../contracts/index.ts";
import { abortedSignal, checkEqual, checkFault, checkPrompt, checkRejects } from "./check.ts";
import { checkAlike, checkThat, checkVector, cosine, outcomeOf } from "./check.ts";
import type { EmbedderHarness, WrongAnswer } from "./embedder-harness.ts";
import { partsLaws } from "./embedder-parts-laws.ts";
import { bindLaws, lawBook, type Law, type LawContext } from "./law.ts";

/** Two vectors of different texts are less alike than this. */
const alike = 0.999;

const texts = [
  "How are deletions guarded?",
  "The guard counts deletions per source.",
  "A photograph of a mountain lake at dawn.",
  "const total = prices.reduce((sum, price) => sum + price, 0);",
  "Ein Satz auf Deutsch über Äpfel und Öl.",
  "日本語の短い文。",
  "x",
];

const book = lawBook<EmbedderHarness>();
const { law, lawWith } = book;

law("opens to a model whose dimensions make sense", async (harness, context) => {
  const { embedder, model } = await openEmbedder(harness, context);
  const { native, min, matryoshka } = model.dimensions;
  checkThat(Number.isSafeInteger(native) && native > 0, "native", native, "a length above 0");
  const range = Number.isSafeInteger(min) && min > 0 && min <= native;
  checkThat(range, "min", min, `a length between 1 and ${native}`);
  if (!matryoshka) checkEqual(min, native, "the shortest prefix of a model without Matryoshka");
  checkThat(model.id.length > 0, "the model's id", model.id, "a name");
  checkThat(model.contextTokens > 0, "the context", model.contextTokens, "above 0");
  checkThat(embedder.tokenizer.id.length > 0, "the tokenizer", embedder.tokenizer.id, "a name");
  await embedder.embed(texts, "document", context.signal);
  checkEqual(await embedder.open(context.signal), model, "the model after a call");
});

law("has limits that are whole positive numbers", async (harness, context) => {
  const { embedder } = await openEmbedder(harness, context);
  for (const [name, limit] of Object.entries(embedder.limits)) {
    const whole = limit === Infinity || (Number.isSafeInteger(limit) && limit > 0);
    checkThat(whole, name, limit, "a number above 0");
  }
});

for (const purpose of ["document", "query"] as const) {
  law(
    `gives one vector of native length for each text as a ${purpose}`,
    async (harness, context) => {
      const { embedder, model } = await openEmbedder(harness, context);
      for (const count of [1, 2, texts.length]) {
        const { vectors } = await embedder.embed(texts.slice(0, count), purpose, context.signal);
        checkEqual(vectors.length, count, "the vectors");
        for (const vector of vectors) checkSound(vector, model);
      }
    },
  );
}

law("gives nothing for no texts", async (harness, context) => {
  const { embedder } = await openEmbedder(harness, context);
  const { vectors } = await embedder.embed([], "document", context.signal);
  checkEqual(vectors.length, 0, "the vectors of no texts");
});

law("gives each text of a batch the vector that it has alone", async (harness, context) => {
  const { embedder } = await openEmbedder(harness, context);
  const { vectors } = await embedder.embed(texts, "document", context.signal);
  const reversed = await embedder.embed(texts.toReversed(), "document", context.signal);
  for (const [index, text] of texts.entries()) {
    const { vectors: single } = await embedder.embed([text], "document", context.signal);
    checkAlike(vectors[index], single[0], `text ${index} in a batch and alone`);
    const mirrored = reversed.vectors[texts.length - 1 - index];
    checkAlike(mirrored, single[0], `text ${index} in a reversed batch and alone`);
  }
});

law("gives different texts different vectors", async (harness, context) => {
  const { embedder } = await openEmbedder(harness, context);
  const { vectors } = await embedder.embed(texts, "document", context.signal);
  for (const [index, vector] of vectors.entries()) {
    for (const other of vectors.slice(index + 1)) {
      const similarity = cosine(vector, other);
      checkThat(similarity < alike, "the cosine of two texts", similarity, `below ${alike}`);
    }
  }
});

law(
  "repeats itself: the same text twice in a call, and in another call",
  async (harness, context) => {
    const { embedder } = await openEmbedder(harness, context);
    const [text = ""] = texts;
    const { vectors } = await embedder.embed([text, "Other.", text], "document", context.signal);
    const again = await embedder.embed([text], "document", context.signal);
    checkAlike(vectors[2], vectors[0], "the same text in one call");
    checkAlike(again.vectors[0], vectors[0], "the same text in another call");
  },
);

law(
  "dresses queries as its prompts say, and documents not as queries",
  async (harness, context) => {
    const { embedder, model } = await openEmbedder(harness, context);
    const [text = ""] = texts;
    const { vectors: documents } = await embedder.embed([text], "document", context.signal);
    const { vectors: queries } = await embedder.embed([text], "query", context.signal);
    const similarity = cosine(documents[0], queries[0]);
    if (model.prompts.document === model.prompts.query) {
      checkThat(similarity >= alike, "the cosine of equal prompts", similarity, `${alike} or more`);
    } else {
      checkThat(
        similarity < 0.999_999,
        "the cosine of other prompts",
        similarity,
        "below 0.999999",
      );
    }
  },
);

law(
  "embeds as many texts in one call as its limits say, to the last one",
  async (harness, context) => {
    const { embedder, model } = await openEmbedder(harness, context);
    const count = Math.min(embedder.limits.textsPerCall, harness.largestCall ?? 64);
    const many = Array.from({ length: count }, (_, index) => `Sentence number ${index} of many.`);
    const { vectors } = await embedder.embed(many, "document", context.signal);
    checkEqual(vectors.length, count, "the vectors");
    for (const vector of vectors) checkSound(vector, model);
    const { vectors: last } = await embedder.embed(many.slice(-1), "document", context.signal);
    checkAlike(vectors.at(-1), last[0], "the last text of a full call and alone");
  },
);

law("keeps calls at the same time apart", async (harness, context) => {
  const { embedder } = await openEmbedder(harness, context);
  const width = Math.min(embedder.limits.concurrentCalls, 8);
  const calls = Array.from({ length: width }, (_, index) => `Call number ${index}.`);
  const together = await Promise.all(
    calls.map((text) => embedder.embed([text, "Other."], "document", context.signal)),
  );
  for (const [index, text] of calls.entries()) {
    const { vectors } = await embedder.embed([text], "document", context.signal);
    checkAlike(together[index]?.vectors[0], vectors[0], `call ${index} among others and alone`);
  }
});

law("gives vectors that do not change with the next call", async (harness, context) => {
  const { embedder } = await openEmbedder(harness, context);
  const { vectors } = await embedder.embed(texts.slice(0, 2), "document", context.signal);
  const copies = vectors.map((vector) => Float32Array.from(vector));
  await embedder.embed(texts.slice(3, 5), "document", context.signal);
  for (const [index, copy] of copies.entries()) checkVector(vectors[index], copy, "a vector");
});

lawWith(
  ["tooLongText"],
  "rejects a text that is too long and never cuts it",
  async (harness, context) => {
    const { embedder } = await openEmbedder(harness, context);
    const alone = embedder.embed([harness.tooLongText], "document", context.signal);
    checkEqual(
      adviceOf(await checkFault(alone, "the long text alone")),
      "document never",
      "the advice",
    );
    const among = embedder.embed(["Short.", harness.tooLongText], "document", context.signal);
    const fault = await checkFault(among, "the long text among others");
    checkEqual(adviceOf(fault), "document smaller", "the advice");
    await embedder.embed(["Short."], "document", context.signal);
  },
);

const wrongAnswers = {
  fewer: "one vector less than texts",
  more: "one vector more than texts",
  short: "vectors one number too short",
  long: "vectors one number too long",
  "one-short": "a single vector one number too short",
  nan: "a vector with a NaN",
  infinite: "a vector with an infinity",
  garbage: "something that is no embedding response",
} as const;

for (const [answer, what] of Object.entries(wrongAnswers)) {
  lawWith(["wrong"], `refuses ${what} from the far end`, async (harness, context) => {
    const embedder = await harness.wrong(context, answer as WrongAnswer);
    await outcomeOf(embedder.open(context.signal));
    const call = embedder.embed(["One.", "Two.", "Three."], "document", context.signal);
    const fault = await checkFault(call, "a call that is answered so", "embed.");
    checkEqual(fault.scope, "component", "the scope of the fault");
  });
}

lawWith(
  ["wrong"],
  "refuses a vector of zeros from the far end as that text's fault",
  async (harness, context) => {
    const embedder = await harness.wrong(context, "zero");
    await outcomeOf(embedder.open(context.signal));
    const several = embedder.embed(["One.", "Two."], "document", context.signal);
    const fault = await checkFault(several, "a call of several", "embed.");
    checkThat(
      fault.scope === "component" || fault.retry === "smaller",
      "the advice",
      adviceOf(fault),
      "`document smaller`, or the component's fault",
    );
  },
);

lawWith(
  ["unreachable"],
  "rejects with a component fault when the far end is unreachable",
  async (harness, context) => {
    const embedder = await harness.unreachable(context);
    const check = await checkFault(embedder.check(context.signal), "the check", "embed.");
    checkEqual(adviceOf(check), "component later", "the advice of the check");
    await outcomeOf(embedder.open(context.signal));
    const call = embedder.embed(["One."], "document", context.signal);
    checkEqual(
      adviceOf(await checkFault(call, "a call", "embed.")),
      "component later",
      "the advice",
    );
  },
);

lawWith(["silent"], "ends promptly when a call is aborted on its way", async (harness, context) => {
  const embedder = await harness.silent(context);
  await outcomeOf(embedder.open(context.signal));
  const controller = new AbortController();
  const call = embedder.embed(["One."], "document", controller.signal);
  setImmediate(() => controller.abort(new Error("The law aborts.")));
  const outcome = await checkPrompt(call, "the aborted call");
  checkThat("error" in outcome, "the aborted call", outcome, "a rejection");
});

law("rejects a call whose signal has aborted", async (harness, context) => {
  const { embedder } = await openEmbedder(harness, context);
  await checkRejects(embedder.embed(["One."], "document", abortedSignal()), "the aborted call");
});

law("passes its check and closes twice", async (harness, context) => {
  const { embedder } = await openEmbedder(harness, context);
  await embedder.check(context.signal);
  await embedder.close();
  await embedder.close();
});

async function openEmbedder(
  harness: EmbedderHarness,
  context: LawContext,
): Promise<{ embedder: Embedder; model: EmbeddingModel }> {
  const embedder = await harness.embedder(context);
  return { embedder, model: await embedder.open(context.signal) };
}

function checkSound(vector: Float32Array, model: EmbeddingModel): void {
  checkEqual(vector.length, model.dimensions.native, "the length of a vector");
  const finite = vector.every((number) => Number.isFinite(number));
  checkEqual(finite, true, "whether all numbers are finite");
  const prefix = vector.subarray(0, model.dimensions.min);
  const norm = Math.hypot(...prefix);
  checkThat(norm > 0, "the norm of the shortest prefix", norm, "above 0");
}

function adviceOf({ scope, retry }: { readonly scope: string; readonly retry: string }): string {
  return `${scope} ${retry}`;
}

/** What every embedder promises. */
export function embedderLaws(harness: EmbedderHarness): Law[] {
  return bindLaws(harness, [...book.definitions, ...partsLaws]);
}
