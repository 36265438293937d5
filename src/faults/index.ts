export { faultCodes, isFaultCode, type FaultCodeName } from "./codes.ts";
export { Fault, isFault, type FaultOptions } from "./fault.ts";
export { assert } from "./assert.ts";
