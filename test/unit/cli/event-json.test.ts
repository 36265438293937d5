import { expect, it } from "vitest";
import { eventJson } from "../../../src/cli/event-json.ts";
import { Fault } from "../../../src/faults/index.ts";

it("writes an event with names in snake case, faults by code and message, and times to the microsecond", () => {
  const fault = new Fault("embed.timeout", "slow", { cause: new Error("hidden") });
  expect(eventJson({ kind: "retrying", component: "embedder", fault, delayMs: 12.345678 })).toEqual(
    {
      kind: "retrying",
      component: "embedder",
      fault: { code: "embed.timeout", message: "slow" },
      delay_ms: 12.346,
    },
  );
  const embedded = {
    kind: "chunks-embedded",
    count: 3,
    tokens: 30,
    milliseconds: 0.96054,
  } as const;
  expect(eventJson(embedded)).toEqual({ ...embedded, milliseconds: 0.961 });
});
