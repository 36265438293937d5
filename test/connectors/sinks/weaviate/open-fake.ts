import { inspect } from "node:util";
import { expect, onTestFinished } from "vitest";
import { createClass } from "../../../../connectors/sinks/weaviate/class-body.ts";
import { weaviateConfig } from "../../../../connectors/sinks/weaviate/config.ts";
import type {
  Collection,
  FaultLike,
  Sink,
  WriteOperation,
} from "../../../../src/contracts/index.ts";
import { isFault } from "../../../../src/faults/index.ts";
import { createLayout } from "../../../../src/records/layout.ts";
import { lawFields } from "../../../../src/testkit/index.ts";
import { makeRecord, toUpsert } from "../../../../src/testkit/sink-harness.ts";
import { type FakeScript, type FakeServer, startFakeServer } from "./fake-server.ts";
import { makeSink } from "./make-sink.ts";

export const dimension = 4;
export const apiKey = "wvt-hush-hush";

/** The schema of a collection that sluice made, as the server gives it. */
export function classBody(): unknown {
  const config = weaviateConfig.parse({ url: "http://localhost", collection: "Handbook" });
  const names = { pattern: /./, words: "anything" };
  const layout = createLayout({
    sink: "search",
    declared: lawFields,
    fields: {},
    omit: [],
    names,
  });
  const spec = { dimension, metric: "cosine", fields: lawFields } as const;
  return createClass({ collection: "Handbook", layout, config }, spec);
}

export interface OpenFake {
  readonly server: FakeServer;
  readonly sink: Sink;
  readonly collection: Collection;
}

/** Opens a collection at a far end that follows the script once the collection is open. */
export async function openFake(
  script: FakeScript = {},
  config: Readonly<Record<string, unknown>> = {},
): Promise<OpenFake> {
  let isOpen = false;
  const server = await startFakeServer({
    grpc: (method) => (isOpen ? script.grpc?.(method) : undefined),
    rest: (request) => {
      const scripted = isOpen ? script.rest?.(request) : undefined;
      return scripted ?? (request === "GET /schema/Handbook" ? { json: classBody() } : undefined);
    },
  });
  const sink = makeSink({
    ...server.addresses,
    api_key: apiKey,
    collection: "Handbook",
    ...config,
  });
  onTestFinished(() => sink.close());
  const collection = await sink.open(AbortSignal.timeout(10_000));
  isOpen = true;
  return { server, sink, collection };
}

/** The fault that a promise rejects with; whatever is shown of it, the key is not. */
export async function faultOf(promise: Promise<unknown>): Promise<FaultLike> {
  const error: unknown = await promise.then(
    () => new Error("It did not reject."),
    (reason: unknown) => reason,
  );
  if (!isFault(error)) throw error;
  expect(inspect(error, { depth: 8 })).not.toContain(apiKey);
  return error;
}

/** So many records to be written. */
export function upserts(count: number): WriteOperation[] {
  return Array.from({ length: count }, (_, index) => toUpsert(makeRecord(index, dimension)));
}
