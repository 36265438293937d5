import { describe, it } from "vitest";
import { registerLaws, sinkLaws } from "../../../../src/testkit/index.ts";
import { describeLive } from "../../support/live-servers.ts";
import { askWeaviate, weaviateHarness } from "../../support/weaviate-sink.ts";

const runner = { describe: describe.concurrent, it };

describeLive("weaviate", ({ ports }) => {
  registerLaws(sinkLaws(weaviateHarness(ports)), runner, {
    title: "weaviate obeys the sink laws",
    timeoutMs: 50_000,
  });

  const ofTenant = weaviateHarness(ports, {
    config: { tenant: "acme", vector: "body", create: { index: "flat" } },
    drop: async (collection) => {
      await askWeaviate(ports, "DELETE", `/schema/${collection}/tenants`, ["acme"]);
    },
  });
  registerLaws(sinkLaws({ ...ofTenant, dimension: 5 }), runner, {
    title: "a tenant of weaviate obeys the sink laws",
    timeoutMs: 50_000,
  });
});
