import type { Law } from "../../../../src/testkit/index.ts";

/** A realistic defect, and the law that must notice it. */
export interface Mutant {
  readonly defect: string;
  readonly laws: () => readonly Law[];
  readonly caughtBy: string;
}

/** Begins a table of mutants of one kind: each row is defect, law, and the component that has the defect. */
export function mutantsOf<Mutate>(
  kind: string,
  lawsOf: (mutate: Mutate) => readonly Law[],
  rows: readonly (readonly [defect: string, caughtBy: string, mutate: Mutate])[],
): Mutant[] {
  return rows.map(([defect, caughtBy, mutate]) => ({
    defect: `${kind} ${defect}`,
    caughtBy,
    laws: () => lawsOf(mutate),
  }));
}
