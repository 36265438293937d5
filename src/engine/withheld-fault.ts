import { Fault } from "../faults/index.ts";
import type { WithheldSummary } from "./summary.ts";

/** Why a run that withheld deletions does not succeed; undefined when none were. */
export function withheldFault(withheld: readonly WithheldSummary[]): Fault | undefined {
  if (withheld.length === 0) return undefined;
  const all = withheld.reduce((sum, { count }) => sum + count, 0);
  const parts = withheld.map(({ source, count }) => `${count} in the source \`${source}\``);
  return new Fault(
    "refused.deletions",
    `Deletions are withheld, ${parts.join(", ")}: they are more than the guard lets go, or the source is another one. ` +
      `Look at \`sluice plan\`; if the documents are really gone, run with \`--allow-deletions=${all}\`.`,
  );
}
