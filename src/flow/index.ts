export { abortable, notNeeded, raceAbort } from "./abort.ts";
export { batches } from "./batches.ts";
export { bisect, type Outcome } from "./bisect.ts";
export { Coalescer, type CoalescerOptions } from "./coalescer.ts";
export { Gate } from "./gate.ts";
export { join } from "./join.ts";
export { retry, type RetryOptions, type RetryPolicy } from "./retry.ts";
export { systemClock } from "./system-clock.ts";
