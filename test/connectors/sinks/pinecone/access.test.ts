import { expect, it } from "vitest";
import { lawFields, makeRecord, toUpsert } from "../../../../src/testkit/sink-harness.ts";
import { rawClient } from "./harness.ts";
import { created, emulate, rejection, signal, sinkAt } from "./places.ts";

const wrong = "pcsk_somebody-elses";
const spec = { dimension: 8, metric: "cosine", fields: lawFields } as const;

it("a key that the service does not know is told by every call, and makes nothing", async () => {
  const emulator = await emulate();
  const sink = sinkAt(emulator, { api_key: wrong });
  for (const call of [
    () => sink.check(signal),
    () => sink.describe(signal),
    () => sink.open(signal),
    () => sink.create(spec, signal),
  ]) {
    const fault = await rejection(call());
    expect(fault).toMatchObject({ code: "sink.unauthorized", retry: "never", ambiguous: false });
    expect(fault.message).toContain("`api_key`");
    expect(fault.message).not.toContain(wrong);
  }
  expect((await rawClient(emulator).indexes.list()).indexes ?? []).toEqual([]);
});

it("a key that the service does not know is told at the index's own address, too", async () => {
  const { emulator, collection } = await created();
  await collection.write([toUpsert(makeRecord(1, 8))], signal);
  const { host } = await rawClient(emulator).indexes.describe("handbook");
  const sink = sinkAt(emulator, { api_key: wrong, host });
  for (const call of [() => sink.check(signal), () => sink.describe(signal)]) {
    expect(await rejection(call())).toMatchObject({ code: "sink.unauthorized", retry: "never" });
  }
  expect(await collection.count(undefined, signal)).toBe(1);
});

it("values that count as nothing are found by filters, and kept", async () => {
  const { collection } = await created();
  const nothing = makeRecord(1, 8, {
    page: 0,
    fields: { year: 0, rating: 0, public: false, language: "", published: 0 },
  });
  const something = makeRecord(2, 8, { fields: { year: 1, public: true, language: "x" } });
  await collection.write([nothing, something].map(toUpsert), signal);
  const values = { year: 0, rating: 0, public: false, language: "", published: 0 };
  for (const [field, value] of Object.entries(values)) {
    const count = collection.count([{ field, operator: "=", value }], signal);
    expect(await count, field).toBe(1);
  }
  const [stored] = await collection.read([nothing.id], { vectors: false }, signal);
  expect(stored).toMatchObject({ page: 0, fields: nothing.fields });
});
