import { AssertionError } from "node:assert";
import { describe, expect, it } from "vitest";
import { runLaw } from "../../../src/testkit/index.ts";
import { cacheMutants } from "./mutants/cache-mutants.ts";
import { embedderMutants } from "./mutants/embedder-mutants.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { sinkReadMutants } from "./mutants/sink-read-mutants.ts";
import { sinkWriteMutants } from "./mutants/sink-write-mutants.ts";
import { sourceMutants } from "./mutants/source-mutants.ts";
import { chunkerMutants, parserMutants } from "./mutants/stage-mutants.ts";
import { stateMutants } from "./mutants/state-mutants.ts";
import { tokenizerMutants } from "./mutants/tokenizer-mutants.ts";

const mutants: readonly Mutant[] = [
  ...sinkWriteMutants,
  ...sinkReadMutants,
  ...sourceMutants,
  ...parserMutants,
  ...chunkerMutants,
  ...embedderMutants,
  ...tokenizerMutants,
  ...cacheMutants,
  ...stateMutants,
];

describe("the laws catch", () => {
  for (const { defect, caughtBy, laws } of mutants) {
    it(`${defect}, by "${caughtBy}"`, async () => {
      const law = laws().find(({ name }) => name === caughtBy);
      if (law === undefined) expect.fail(`There is no law "${caughtBy}".`);
      await expect(runLaw(law, { timeoutMs: 2_000 })).rejects.toBeInstanceOf(AssertionError);
    });
  }
});
