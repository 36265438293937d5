import { describe, it } from "vitest";
import { registerLaws } from "../../../../src/testkit/run-laws.ts";
import { sinkLaws } from "../../../../src/testkit/sink-laws.ts";
import { pineconeHarness } from "./harness.ts";

const runner = { describe, it };

registerLaws(sinkLaws(pineconeHarness()), runner, { title: "pinecone obeys the sink laws" });
