import { describe, it } from "vitest";
import { registerLaws } from "../../../../src/testkit/run-laws.ts";
import { sinkLaws } from "../../../../src/testkit/sink-laws.ts";
import { pineconeHarness } from "./harness.ts";

const runner = { describe, it };

registerLaws(sinkLaws(pineconeHarness()), runner, { title: "pinecone obeys the sink laws" });

// As the service is: reads come behind writes, a new index is not ready, matches are in no order.
const lagging = pineconeHarness(
  { visibilityDelayMs: 15, readyDelayMs: 20, unsortedMatches: true },
  { namespace: "production", create: { indexed_metadata: "filterable" } },
);
registerLaws(sinkLaws(lagging), runner, { title: "pinecone obeys them behind a delay" });
