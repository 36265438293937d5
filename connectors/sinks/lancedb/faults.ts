import { existsSync } from "node:fs";
import { isNativeError } from "node:util/types";
import {
  Fault,
  isFault,
  type FaultCodeName,
  type FaultOptions,
} from "../../../src/faults/index.ts";

/** What an operation did when the driver failed. */
export interface FailedCall {
  /** As in "cannot be written". */
  readonly verb: "read" | "written" | "created" | "optimised";
  readonly address: string;
  /** The table's folder. */
  readonly folder: string;
}

interface Diagnosis {
  readonly code: FaultCodeName;
  readonly what: string;
  readonly options?: FaultOptions;
}

/** The driver has one error class; only its text tells what happened. Texts as observed with 0.39. */
const diagnoses: readonly (readonly [RegExp, Diagnosis])[] = [
  [
    /No space left|os error 28\b|Disk quota|os error 122\b|File too large|os error 27\b/i,
    { code: "sink.full", what: "the disk is full. Make room and run again" },
  ],
  [
    /Permission denied|os error 13\b|Operation not permitted|Read-only file system|os error 30\b/i,
    { code: "sink.unauthorized", what: "this user may not do that. Check the permissions" },
  ],
  [
    /commit conflict|preempted by concurrent|Too many concurrent writers|Ambiguous merge/i,
    { code: "sink.conflict", what: "another process changed it at the same moment" },
  ],
  [
    /Too many open files|os error 24\b|Cannot allocate memory|os error 12\b|timed? ?out/i,
    { code: "sink.not-ready", what: "the system is short of files or memory" },
  ],
  [
    /different schema|No field named|could not convert to literal|contains NaN/i,
    { code: "sink.rejected", what: "the records do not fit the table" },
  ],
  [
    /Not found|sufficient data|Invalid range|size is too small|fill whole buffer|invalid magic|decode|protobuf|corrupt|EOF|Invalid argument error|os error 5\b/i,
    {
      code: "sink.corrupt",
      what: "its files are damaged. Restore the folder, or delete it and run again to rebuild it",
    },
  ],
];

/**
 * The fault that an error of the driver means. Errors of ours and aborts pass as they are. A write that failed for a
 * reason on the disk may have been committed before the failure, so it is ambiguous.
 */
export function toFault(error: unknown, call: FailedCall): unknown {
  if (isFault(error) || !isNativeError(error)) return error;
  if (error.name === "AbortError" || error.name === "AssertionError") return error;
  const ambiguous = call.verb === "written";
  if (!existsSync(call.folder) && call.verb !== "created") {
    return new Fault(
      "sink.missing",
      `The collection ${call.address} does not exist any more. Run again to create it.`,
      { cause: error },
    );
  }
  const [, diagnosis] = diagnoses.find(([pattern]) => pattern.test(error.message)) ?? [];
  const { code, what } = diagnosis ?? {
    code: "sink.unreachable" as const,
    what: "the driver failed",
  };
  return new Fault(
    code,
    `The collection ${call.address} cannot be ${call.verb}: ${what}. (${firstWords(error.message)})`,
    { cause: error, ambiguous: ambiguous && code !== "sink.rejected" },
  );
}

/** The driver's messages repeat themselves and name places in its source; the beginning says it. */
function firstWords(message: string): string {
  const [first = ""] = message.split(/,? \/|\s{2}Caused by|\n/u);
  return first.length > 200 ? `${first.slice(0, 200)}…` : first;
}
