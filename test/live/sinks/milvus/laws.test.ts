import { describe, it } from "vitest";
import { registerLaws, sinkLaws } from "../../../../src/testkit/index.ts";
import { describeLive } from "../../support/live-servers.ts";
import { milvusHarness } from "../../support/milvus-sink.ts";

/** A real Milvus takes seconds to load a collection; the laws wait together. */
const runner = { describe: describe.concurrent, it };
const options = { title: "milvus obeys the sink laws", timeoutMs: 50_000 };

for (const name of ["milvus-lite", "milvus"] as const) {
  describeLive(name, ({ address }) => {
    registerLaws(sinkLaws(milvusHarness(address)), runner, options);
  });
}
