import { describe, it } from "vitest";
import { registerLaws } from "../../../src/testkit/run-laws.ts";
import { sinkLaws } from "../../../src/testkit/sink-laws.ts";
import { fakeSinkHarness } from "./fake-harnesses.ts";

const runner = { describe, it };

registerLaws(sinkLaws(fakeSinkHarness()), runner, { title: "the fake sink" });
