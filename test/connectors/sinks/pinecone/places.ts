import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { Collection, Sink } from "../../../../src/contracts/index.ts";
import type { PineconeEmulator, PineconeEmulatorOptions } from "../../../../src/testkit/index.ts";
import { lawFields } from "../../../../src/testkit/sink-harness.ts";
import { makeSink, startEmulator } from "./harness.ts";

export const { signal } = new AbortController();

const whenFinished = { defer: (cleanup: () => unknown) => onTestFinished(() => void cleanup()) };

/** An emulator that closes with the test. */
export function emulate(options: PineconeEmulatorOptions = {}): Promise<PineconeEmulator> {
  return startEmulator(whenFinished, options);
}

/** A sink that closes with the test. */
export function sinkAt(...options: Parameters<typeof makeSink>): Sink {
  const sink = makeSink(...options);
  onTestFinished(() => sink.close());
  return sink;
}

export interface OpenSink {
  readonly emulator: PineconeEmulator;
  readonly sink: Sink;
  readonly collection: Collection;
}

/** A sink with a new index of this dimension, on an emulator of its own. */
export async function created(
  config: Readonly<Record<string, unknown>> = {},
  options: PineconeEmulatorOptions = {},
  dimension = 8,
): Promise<OpenSink> {
  const emulator = await emulate(options);
  const sink = sinkAt(emulator, config);
  const spec = { dimension, metric: sink.createMetric, fields: lawFields };
  return { emulator, sink, collection: await sink.create(spec, signal) };
}

/** An HTTP server that closes with the test; gives its address. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  const error: unknown = await promise.then(
    () => new Error("It did not reject."),
    (reason: unknown) => reason,
  );
  return error as Error;
}
