import { onTestFinished } from "vitest";
import type { Collection, Sink } from "../../../../src/contracts/index.ts";
import { specOf } from "../../../../src/testkit/sink-harness.ts";
import { makeSink, temporaryFolder } from "./harness.ts";

export const { signal } = new AbortController();

/** An empty folder that is removed with the test. */
export function openFolder(): Promise<string> {
  return temporaryFolder({ defer: (cleanup) => onTestFinished(() => void cleanup()) });
}

/** A sink that closes with the test. */
export function sinkIn(...options: Parameters<typeof makeSink>): Sink {
  const sink = makeSink(...options);
  onTestFinished(() => sink.close());
  return sink;
}

/** A sink with a new table. */
export async function created(
  ...options: Parameters<typeof makeSink>
): Promise<{ readonly sink: Sink; readonly collection: Collection }> {
  const sink = sinkIn(...options);
  return { sink, collection: await sink.create(specOf({}, sink), signal) };
}
