import type { KnownModel } from "../known-model.ts";
import type { Check, Finding } from "./check.ts";
import { publishedWith } from "./check-published.ts";
import { mixedTexts, shown } from "./check-structure.ts";
import { cosineOf } from "../../embedding/index.ts";
import { type MistakeName, mistakes } from "./mistakes.ts";
import type { Tolerance } from "./tolerance.ts";
import type { Witness } from "./witness.ts";

const endText = "<|endoftext|>";
/** Vectors that are equal but for rounding. */
const equal = 0.9999;
/** What an average of 400 states keeps when eight of them change. */
const nearlyEqual = 0.999;

/**
 * Looks for what betrays a mistake of a causal model that takes the last token's state, when a check has failed. Each
 * is told from answers alone, so it works with any server.
 */
export async function findMistakes(
  witness: Witness,
  known: KnownModel | undefined,
  checks: readonly Check[],
  tolerance: Tolerance,
): Promise<readonly Finding[]> {
  if (known?.pooling !== "last-token" || witness.model.prompts.document !== "") return [];
  const failed = new Set(
    checks.filter(({ verdict }) => verdict === "wrong").map(({ name }) => name),
  );
  const findings: Finding[] = [];
  const vectors = ["published cosines", "slices", "golden vectors", "end token"];
  const pools = [...vectors, "same text, same vector"].some((name) => failed.has(name));
  if (pools) findings.push(...(await poolingFindings(witness, known, tolerance)));
  if (failed.has("padding")) {
    const found = await readPadding(witness);
    if (found !== undefined) findings.push(found);
  }
  return findings;
}

async function poolingFindings(
  witness: Witness,
  known: KnownModel,
  tolerance: Tolerance,
): Promise<readonly Finding[]> {
  const first = await firstToken(witness);
  if (first !== undefined) return [first];
  if (await publishedWith(witness, known, endText, tolerance)) {
    const evidence = `with \`${endText}\` typed behind each text the published cosines come out`;
    return [finding("missing-end-token", evidence)];
  }
  const found = [await missingEnd(witness), await mean(witness)];
  return found.filter((one) => one !== undefined);
}

/** In a causal model the first token's state knows nothing of what follows. */
async function firstToken(witness: Witness): Promise<Finding | undefined> {
  const one = await witness.alone("Water is held back by the gate.");
  const near = cosineOf(
    one,
    await witness.alone("Water boils at 100 degrees, as every cook knows."),
  );
  if (near < equal) return undefined;
  return finding(
    "first-token-pooling",
    `two sentences that share their first word only have one vector (cosine ${shown(near)})`,
  );
}

/**
 * A run of one token has the same state everywhere, because all that can be attended to is the same. Without an end
 * token behind it, runs of any length therefore have one vector. Digits are tokens of their own.
 */
async function missingEnd(witness: Witness): Promise<Finding | undefined> {
  const near = cosineOf(await witness.alone("1"), await witness.alone("1".repeat(32)));
  if (near < equal) return undefined;
  return finding(
    "missing-end-token",
    `\`1\` and a run of 32 have one vector (cosine ${shown(near)}), so nothing is read behind them`,
  );
}

/**
 * After the last norm all states have about one length. A sentence of some eight tokens behind a run of 400, whose states
 * are all the same, thus moves the mean by 16/400 at most: a cosine of 0.9992. The last token of a trained model hears
 * much more of the sentence just before it; but one that attends to everything alike would not, so this is no proof.
 */
async function mean(witness: Witness): Promise<Finding | undefined> {
  const run = "1".repeat(400);
  const one = await witness.alone(`${run} Parking is free for all employees.`);
  const near = cosineOf(one, await witness.alone(`${run} The volcano erupted in the night.`));
  if (near < nearlyEqual) return undefined;
  const evidence = `what is said behind 400 digits hardly changes the vector (cosine ${shown(near)})`;
  return { ...finding("mean-pooling", evidence), certain: false };
}

/** Padding is the end token: if it is read, it is as if it stood in the text. */
async function readPadding(witness: Witness): Promise<Finding | undefined> {
  const [short, long] = [mixedTexts[2], mixedTexts[1]];
  const [ofShort = 0, ofLong = 0] = await witness.count([short, long]);
  const [padded] = await witness.together([short, long]);
  if (padded === undefined || ofLong <= ofShort) return undefined;
  const padding = endText.repeat(ofLong - ofShort);
  for (const [side, text] of [
    ["right", short + padding],
    ["left", padding + short],
  ] as const) {
    const near = cosineOf(padded, await witness.alone(text));
    if (near < equal) continue;
    return finding(
      "padding-without-mask",
      `a short text beside a long one has the vector of the text with ${ofLong - ofShort} \`${endText}\` on its ` +
        `${side} (cosine ${shown(near)})`,
    );
  }
  return undefined;
}

function finding(mistake: MistakeName, evidence: string): Finding {
  return { mistake, meaning: mistakes[mistake], evidence, certain: true };
}
