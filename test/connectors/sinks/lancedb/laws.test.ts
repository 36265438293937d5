import { describe, it } from "vitest";
import { registerLaws } from "../../../../src/testkit/run-laws.ts";
import { sinkLaws } from "../../../../src/testkit/sink-laws.ts";
import { lancedbHarness } from "./harness.ts";

registerLaws(sinkLaws(lancedbHarness), { describe, it }, { title: "lancedb obeys the sink laws" });
