import type { Sink } from "../../../src/contracts/index.ts";
import {
  createFakeSink,
  createFakeStore,
  type FakeStore,
} from "../../../src/testkit/fakes/sink.ts";
import type { SinkHarness, SinkPlace } from "../../../src/testkit/sink-harness.ts";

export interface FakeSinkPlace extends SinkPlace {
  readonly store: FakeStore;
}

/** The fake sink under the laws; `mutate` wraps every client in a defect. */
export function fakeSinkHarness(
  mutate: (sink: Sink, store: FakeStore) => Sink = (sink) => sink,
): SinkHarness<FakeSinkPlace> {
  return {
    place: async () => {
      const store = createFakeStore();
      return { store, connect: async () => mutate(createFakeSink(store), store) };
    },
    reopen: async () => {},
    drop: async ({ store }) => void (store.collection = undefined),
    reject: async ({ store }, ids) => ids.forEach((id) => store.rejectedIds.add(id)),
    disconnect: async ({ store }) => void (store.unreachable = true),
    notSupported: { foreign: "The fake store holds only what fake sinks made." },
  };
}
