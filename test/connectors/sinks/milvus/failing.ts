import { expect } from "vitest";
import type { Collection, FaultLike, Sink } from "../../../../src/contracts/index.ts";
import { makeRecord, toUpsert } from "../../../../src/testkit/sink-harness.ts";
import type { Answers, FakeMilvus } from "./fake-milvus.ts";
import { makeSink, signal, startFake } from "./harness.ts";
import { modernMilvus } from "./modern.ts";

/** So that a test of a time limit is over soon. */
export const quick = { timeout_ms: 500 };

/** The fault that a call ends with. */
export async function faultOf(call: Promise<unknown>): Promise<FaultLike> {
  return call.then(
    () => expect.unreachable("the call succeeded"),
    (error: unknown) => error as FaultLike,
  );
}

/** An open collection of a fake, which from then on answers as told. */
export async function openFake(
  answers: Answers = {},
  config: Readonly<Record<string, unknown>> = {},
): Promise<{
  readonly fake: FakeMilvus;
  readonly sink: Sink;
  readonly collection: Collection;
}> {
  const fake = await startFake(modernMilvus());
  const sink = makeSink(fake.address, config);
  const collection = await sink.open(signal);
  fake.answer(answers);
  return { fake, sink, collection };
}

/** Writes one record. */
export function write(collection: Collection, given = signal): Promise<unknown> {
  return collection.write([toUpsert(makeRecord(1, 4))], given);
}
