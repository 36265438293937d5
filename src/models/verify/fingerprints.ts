import type { KnownModel } from "../known-model.ts";
import type { Check, Finding } from "./check.ts";
import { publishedWith } from "./check-published.ts";
import { mixedTexts, shown } from "./check-structure.ts";
import { cosine } from "./cosine.ts";
import { type MistakeName, mistakes } from "./mistakes.ts";
import type { Tolerance } from "./tolerance.ts";
import type { Witness } from "./witness.ts";

const endText = "<|endoftext|>";
/** Vectors that are equal but for rounding. */
const equal = 0.9999;

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
  if (pools) {
    const found =
      (await firstToken(witness)) ??
      (await missingEnd(witness, known, tolerance)) ??
      (await mean(witness));
    if (found !== undefined) findings.push(found);
  }
  if (failed.has("padding")) {
    const found = await readPadding(witness);
    if (found !== undefined) findings.push(found);
  }
  return findings;
}

/** In a causal model the first token's state knows nothing of what follows. */
async function firstToken(witness: Witness): Promise<Finding | undefined> {
  const one = await witness.alone("Water is held back by the gate.");
  const near = cosine(one, await witness.alone("Water boils at 100 degrees, as every cook knows."));
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
async function missingEnd(
  witness: Witness,
  known: KnownModel,
  tolerance: Tolerance,
): Promise<Finding | undefined> {
  if (await publishedWith(witness, known, endText, tolerance)) {
    const evidence = `with \`${endText}\` typed behind each text the published cosines come out`;
    return finding("missing-end-token", evidence);
  }
  const near = cosine(await witness.alone("1"), await witness.alone("1".repeat(32)));
  if (near < equal) return undefined;
  const swapped = await swappedCosine(witness);
  if (swapped >= equal) return undefined;
  return finding(
    "missing-end-token",
    `\`1\` and a run of 32 have one vector (cosine ${shown(near)}), so nothing is read behind them`,
  );
}

/**
 * After the last norm all states have the same length, so one token of 257 moves their mean by at most 2/257: a cosine
 * of 0.99997. The last state, or the end token's, hears of the token just before it much more than that.
 */
async function mean(witness: Witness): Promise<Finding | undefined> {
  const near = await swappedCosine(witness);
  if (near < equal) return undefined;
  return finding(
    "mean-pooling",
    `another last token of 256 hardly changes the vector (cosine ${shown(near)})`,
  );
}

async function swappedCosine(witness: Witness): Promise<number> {
  const run = "1".repeat(255);
  return cosine(await witness.alone(`${run}1`), await witness.alone(`${run}2`));
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
    const near = cosine(padded, await witness.alone(text));
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
  return { mistake, meaning: mistakes[mistake], evidence };
}
