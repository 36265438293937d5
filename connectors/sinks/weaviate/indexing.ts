import { z } from "zod";
import { Fault } from "../../../src/faults/index.ts";
import type { CollectionOptions } from "./collection-options.ts";

const shardsSchema = z.array(
  z.object({ status: z.string(), vectorQueueSize: z.number().optional() }),
);
const betweenLooksMs = 100;

/**
 * Waits until vectors that were written can be found. Records can be read as soon as they are written; where the server
 * indexes asynchronously (`ASYNC_INDEXING`), searches see them a little later.
 */
export async function waitIndexed(
  { server, schema, clock }: CollectionOptions,
  signal: AbortSignal,
): Promise<void> {
  const { place, timeoutMs } = server.options;
  const ofTenant = place.tenant === undefined ? "" : `?tenant=${place.tenant}`;
  const path = `/schema/${schema.collection}/shards${ofTenant}`;
  const end = clock.monotonic() + timeoutMs;
  for (;;) {
    const { status, body } = await server.rest("read", { method: "GET", path }, signal);
    const shards = shardsSchema.safeParse(body);
    if (status === 404 || !shards.success) {
      throw new Fault("sink.missing", `The collection ${place.shown} does not exist any more.`);
    }
    const busy = shards.data.some(
      (shard) => shard.status === "INDEXING" || (shard.vectorQueueSize ?? 0) > 0,
    );
    if (!busy) return;
    if (clock.monotonic() > end) {
      throw new Fault(
        "sink.timeout",
        `The collection ${place.shown} has vectors to index after ${timeoutMs} ms. Wait, or raise \`timeout_ms\`.`,
      );
    }
    await clock.sleep(betweenLooksMs, signal);
  }
}
