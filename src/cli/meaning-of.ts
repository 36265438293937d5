import { faultCodes } from "../faults/codes.ts";

/** What the documentation says of a fault: what it means and what to do. Empty for a code that is not ours. */
export function meaningOf(code: string): string {
  return Object.hasOwn(faultCodes, code) ? faultCodes[code as keyof typeof faultCodes].meaning : "";
}
