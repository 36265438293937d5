import { expect, it } from "vitest";
import { signal } from "../../connectors/embedders/qwen3/harness.ts";
import { describeLive } from "../support/live-servers.ts";
import { servedBy } from "./tiny-server.ts";

describeLive("llama-cpp", ({ address }) => {
  it("tells its load, and more of it while it works", async () => {
    const embedder = servedBy(address, { max_batch_texts: 8 });
    await embedder.open(signal);
    await expect.poll(() => embedder.measures?.()[0]?.load).toBeDefined();
    const idle = embedder.measures?.()[0]?.load;
    expect(Object.keys(idle ?? {})).toEqual(["running", "waiting"]);
    const texts = Array.from({ length: 8 }, (_, index) => `${index} ${"water ".repeat(200)}`);
    let isSeen = false;
    const work = async (): Promise<void> => {
      while (!isSeen) await embedder.embed(texts, "document", signal);
    };
    const working = Promise.all([work(), work(), work()]);
    // What was heard is kept for five seconds.
    const busy = (): number => embedder.measures?.()[0]?.load?.running ?? 0;
    await expect
      .poll(busy, { timeout: 30_000 })
      .toBeGreaterThan(0)
      .finally(() => (isSeen = true));
    await working;
  });
});
