import { appendFileSync } from "node:fs";

/** One thing that went well in the matrix of faults, for the figures. */
export interface Finding {
  /** What happened. */
  readonly fault: string;
  readonly store: string;
  readonly moment: string;
  readonly seed: number;
  /** Of the run to which it happened; null when it was killed. */
  readonly exitCode: number | null;
  /** How long that run took, and the one after it. */
  readonly brokenMs: number;
  readonly repairMs: number;
  /** Records that are equal to fresh ones afterwards, in each store. */
  readonly records: number;
}

/** Adds a line of JSON to the file that the environment variable `SLUICE_WIRE_REPORT` names, if any. */
export function report(finding: Finding): void {
  const { SLUICE_WIRE_REPORT: file = "" } = process.env;
  if (file !== "") appendFileSync(file, `${JSON.stringify(finding)}\n`);
}
