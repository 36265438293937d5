import type { Clock } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import type { MilvusConfig } from "./config.ts";
import type { CallOptions, Wire } from "./wire.ts";

const betweenQuestionsMs = 100;

/** Whether the collection is loaded; waits for one that is being loaded. */
export async function isLoaded(
  wire: Wire,
  config: MilvusConfig,
  clock: Clock,
  call: CallOptions,
): Promise<boolean> {
  const request = { collection_name: config.collection };
  const started = clock.monotonic();
  for (;;) {
    const { state } = await wire.call("GetLoadState", request, call);
    if (state !== "LoadStateLoading") return state === "LoadStateLoaded";
    if (clock.monotonic() - started > config.ready_timeout_ms) break;
    await clock.sleep(betweenQuestionsMs, call.signal);
  }
  throw new Fault(
    "sink.not-ready",
    `The collection ${call.address} was not loaded within ${config.ready_timeout_ms} ms. Look at the server, or raise ` +
      "`ready_timeout_ms`.",
  );
}

/** Loads the collection, unless it is, and waits until it can be read. */
export async function load(
  wire: Wire,
  config: MilvusConfig,
  clock: Clock,
  call: CallOptions,
): Promise<void> {
  if (await isLoaded(wire, config, clock, call)) return;
  await wire.call("LoadCollection", { collection_name: config.collection }, call);
  if (await isLoaded(wire, config, clock, call)) return;
  throw new Fault(
    "sink.not-ready",
    `The collection ${call.address} was released while it was being loaded. Run again.`,
  );
}
