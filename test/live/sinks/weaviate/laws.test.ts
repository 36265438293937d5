import { describe, it } from "vitest";
import { registerLaws, sinkLaws } from "../../../../src/testkit/index.ts";
import { describeLive } from "../../support/live-servers.ts";
import { weaviateHarness } from "../../support/weaviate-sink.ts";

describeLive("weaviate", ({ ports }) => {
  registerLaws(
    sinkLaws(weaviateHarness(ports)),
    { describe, it },
    { title: "weaviate obeys the sink laws" },
  );
});
