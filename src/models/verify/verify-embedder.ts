import type { Embedder, EmbeddingModel } from "../../contracts/index.ts";
import { knownModel } from "../known-model.ts";
import type { Precision } from "../precision.ts";
import { checkGolden } from "./check-golden.ts";
import { checkPrompts } from "./check-prompts.ts";
import { checkPublished, checkSlices } from "./check-published.ts";
import { checkBatches, checkDistinct, checkEndToken, checkShortened } from "./check-structure.ts";
import { type Check, type Finding, skipped } from "./check.ts";
import { findMistakes } from "./fingerprints.ts";
import type { GoldenVectors } from "./golden-file.ts";
import { type MistakeName, mistakes } from "./mistakes.ts";
import { toleranceOf } from "./tolerance.ts";
import { Witness } from "./witness.ts";

export interface VerifyOptions {
  /** What the embedder computes in, or its weights are kept in: how near is near enough. */
  readonly precision: Precision;
  readonly golden?: GoldenVectors;
  /** The same embedder asked for full vectors, where the one to be verified has the server shorten them. */
  readonly full?: Embedder;
}

export interface Verification {
  readonly model: EmbeddingModel;
  readonly right: boolean;
  readonly checks: readonly Check[];
  /** Mistakes that the answers show. */
  readonly findings: readonly Finding[];
  /** Mistakes that would explain what is wrong, when the answers prove none. */
  readonly suspects: readonly { readonly mistake: MistakeName; readonly meaning: string }[];
}

/**
 * Proves an embedder, in process or behind a server, through its contract: against published and golden vectors where
 * there are some, and by what must hold of any. Rejects with the embedder's own fault when it does not answer.
 */
export async function verifyEmbedder(
  embedder: Embedder,
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<Verification> {
  const { precision, golden } = options;
  const tolerance = toleranceOf(precision);
  const witness = await Witness.call(embedder, signal);
  const full = options.full === undefined ? undefined : await Witness.call(options.full, signal);
  const known = knownModel(witness.model.id);
  const compared =
    golden === undefined
      ? { check: skipped("golden vectors", "no `--golden FILE` was given"), findings: [] }
      : await checkGolden(witness, golden, precision);
  const all = [
    await checkPublished(witness, known, tolerance),
    await checkSlices(witness, known, tolerance),
    compared.check,
    await checkEndToken(witness, known),
    await checkPrompts(witness, known, tolerance),
    await checkDistinct(witness, tolerance),
    ...(await checkBatches(witness, tolerance)),
    await checkShortened(witness, known, full, tolerance),
  ];
  const checks = withoutContradiction(all);
  const wrong = checks.filter(({ verdict }) => verdict === "wrong");
  const findings = [
    ...compared.findings,
    ...(await findMistakes(witness, known, checks, tolerance)),
  ];
  return {
    model: witness.model,
    right: wrong.length === 0,
    checks,
    findings: distinct([...findings, ...certain(wrong)]),
    suspects: suspectsOf(wrong, findings),
  };
}

/** Some servers count tokens in their own way; vectors that are right by their values have their end token. */
function withoutContradiction(checks: readonly Check[]): readonly Check[] {
  const proven = checks.some(
    ({ name, verdict }) => name === "published cosines" && verdict === "right",
  );
  return checks.map((check) => {
    if (!proven || check.name !== "end token" || check.verdict !== "wrong") return check;
    return skipped(check.name, `${check.detail}; but the published cosines come out`);
  });
}

/** A check that only one mistake can fail names it. */
function certain(wrong: readonly Check[]): readonly Finding[] {
  return wrong.flatMap(({ suspects, detail }) => {
    const [only, ...others] = suspects;
    if (only === undefined || others.length > 0 || only === "other-model") return [];
    return [{ mistake: only, meaning: mistakes[only], evidence: detail, certain: true }];
  });
}

function distinct(findings: readonly Finding[]): readonly Finding[] {
  const first = new Map<string, Finding>();
  for (const finding of findings) {
    if (!first.has(finding.mistake)) first.set(finding.mistake, finding);
  }
  return [...first.values()];
}

/** Of checks that no finding explains. */
function suspectsOf(
  wrong: readonly Check[],
  findings: readonly Finding[],
): Verification["suspects"] {
  const proven = findings.filter((finding) => finding.certain);
  const found = new Set(proven.map(({ mistake }) => mistake));
  const open = wrong.filter(({ suspects }) => suspects.length > 1 || suspects[0] === "other-model");
  const explained = (check: Check): boolean => check.suspects.some((name) => found.has(name));
  const names = new Set(
    open.filter((check) => !explained(check)).flatMap((check) => check.suspects),
  );
  const named = new Set(findings.map(({ mistake }) => mistake));
  const others = [...names].filter((name) => !named.has(name));
  return others.map((mistake) => ({ mistake, meaning: mistakes[mistake] }));
}
