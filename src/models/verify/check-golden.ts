import { isFault } from "../../faults/index.ts";
import type { Precision } from "../precision.ts";
import { type Check, type Finding, right, skipped, wrong } from "./check.ts";
import { shown } from "./check-structure.ts";
import { cosineOf } from "../../embedding/index.ts";
import type { GoldenVectors } from "./golden-file.ts";
import { isMistake, type MistakeName, mistakes } from "./mistakes.ts";
import { toleranceOf } from "./tolerance.ts";
import type { Witness } from "./witness.ts";

const name = "golden vectors";
/** In which precision vectors that miss could have been computed, the best first. */
const lesserPrecisions = ["fp16", "q8", "q4"] as const;

interface Answer {
  readonly name: string;
  readonly kind: "document" | "query";
  /** Undefined when the embedder refused the text: a server without an end token refuses the empty one. */
  readonly vector: Float32Array | undefined;
  /** To the right vector; the least there is when there was none. */
  readonly cosine: number;
}

/** Compares with the vectors of a reference implementation; names the mistake whose vector comes in place of one. */
export async function checkGolden(
  witness: Witness,
  golden: GoldenVectors,
  precision: Precision,
): Promise<{ readonly check: Check; readonly findings: readonly Finding[] }> {
  const least = leastOf(golden, precision);
  const { native } = witness.model.dimensions;
  if (golden.items.some(({ vector }) => vector.length !== native)) {
    const detail = `the embedder's vectors have ${native} numbers, those of the file another number`;
    return { check: wrong(name, detail, ["other-model"]), findings: [] };
  }
  const answers = await ask(witness, golden);
  if (answers.length === 0) {
    const detail = "documents are dressed, and the file has no text that is";
    return { check: skipped(name, detail), findings: [] };
  }
  const missed = answers.filter((answer) => answer.cosine < least);
  const lowest = Math.min(...answers.map((answer) => answer.cosine));
  const detail = `${answers.length - missed.length} of ${answers.length} texts, ${told(answers)}`;
  if (missed.length === 0) return { check: right(name, detail), findings: [] };
  const findings = recognise(missed, golden, least);
  const named = findings.flatMap(({ mistake }) => (isMistake(mistake) ? [mistake] : []));
  const coarser = lesserPrecisions.find(
    (one) => leastOf(golden, one) < least && lowest >= leastOf(golden, one),
  );
  // Coarse weights change all vectors; a mistake, those that it is about.
  const isMost = missed.length * 2 >= answers.length && !onlyQueries(missed, answers);
  if (findings.length === 0 && coarser !== undefined && isMost) {
    const near = `${detail}, allowed ${least}; enough for \`--precision ${coarser}\``;
    return { check: wrong(name, near, ["coarser-weights"]), findings };
  }
  const names = missed.slice(0, 5).map((answer) => `\`${answer.name}\``);
  const check = wrong(
    name,
    `${detail}, allowed ${least}; wrong: ${names.join(", ")}`,
    named.length > 0 ? named : suspectsOf(missed, answers),
  );
  return { check, findings };
}

/** Texts as a pipeline gives them: a query without its prompt, which the embedder has to add. */
async function ask(witness: Witness, golden: GoldenVectors): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const { name: item, kind, text, vector } of golden.items) {
    const prompt = golden.query_prompt;
    const isQuery = kind === "query" && prompt !== "" && text.startsWith(prompt);
    if (witness.model.prompts.document !== "" && !isQuery) continue;
    const asked = isQuery ? witness.alone(text.slice(prompt.length), "query") : witness.alone(text);
    const answer = await asked.catch(refusedText);
    const near = answer === undefined ? -1 : cosineOf(answer, Float32Array.from(vector));
    answers.push({
      name: item,
      kind: isQuery ? "query" : "document",
      vector: answer,
      cosine: near,
    });
  }
  return answers;
}

/** A text that is refused is one answer of many; everything else ends the verification. */
function refusedText(error: unknown): undefined {
  if (!isFault(error) || error.scope !== "document") throw error;
}

function told(answers: readonly Answer[]): string {
  const given = answers.filter(({ vector }) => vector !== undefined);
  const refused = answers.length - given.length;
  const cosines = given.map(({ cosine }) => cosine);
  const lowest = given.length === 0 ? "none given" : `lowest cosine ${shown(Math.min(...cosines))}`;
  return refused === 0 ? lowest : `${lowest}, ${refused} refused`;
}

/** Mistakes whose example is what came; those that give the right vector as well say nothing. */
function recognise(
  missed: readonly Answer[],
  golden: GoldenVectors,
  least: number,
): readonly Finding[] {
  return Object.entries(golden.wrong).flatMap(([key, { what, example }]) => {
    const answer = missed.find((one) => one.name === example?.name);
    if (answer?.vector === undefined || example?.vector.length !== answer.vector.length) return [];
    const near = cosineOf(answer.vector, Float32Array.from(example.vector));
    if (near < least) return [];
    const mistake = mistakeOf(key);
    return [
      {
        mistake,
        meaning: isMistake(mistake) ? mistakes[mistake] : what,
        evidence: `\`${answer.name}\` has the vector that this mistake gives (cosine ${shown(near)})`,
        certain: true,
      },
    ];
  });
}

/** Names of the file for what is one mistake to a reader. */
const same: Readonly<Record<string, MistakeName>> = {
  "missing-eos": "missing-end-token",
  "right-padding-no-mask": "padding-without-mask",
  "left-padding-no-mask": "padding-without-mask",
  "left-padding-mask-sum-as-place": "left-padding",
  "left-padding-in-gqa-graph": "left-padding",
};

function mistakeOf(key: string): string {
  const plain = key.replaceAll("_", "-");
  return same[plain] ?? plain;
}

function leastOf({ tolerance }: GoldenVectors, precision: Precision): number {
  return tolerance[precision]?.min_cosine ?? toleranceOf(precision).sameText;
}

/** When only queries are wrong it is the prompt. */
function onlyQueries(missed: readonly Answer[], answers: readonly Answer[]): boolean {
  const documents = answers.some(({ kind }) => kind === "document");
  return documents && missed.every(({ kind }) => kind === "query");
}

/** When documents are wrong it may be anything. */
function suspectsOf(missed: readonly Answer[], answers: readonly Answer[]): readonly MistakeName[] {
  if (onlyQueries(missed, answers)) return ["space-after-query", "no-instruction"];
  return ["missing-end-token", "mean-pooling", "first-token-pooling", "other-model"];
}
