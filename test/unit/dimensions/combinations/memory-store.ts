import * as fc from "fast-check";
import { memorySink, memoryStore } from "../../../../connectors/sinks/memory/index.ts";
import type { CollectionDescription, Sink } from "../../../../src/contracts/index.ts";
import { contextOf, newName, type Store } from "./store.ts";

type Disguise = Partial<CollectionDescription>;

/** What the far end says it is; in truth it is a collection of float32. */
const disguises: Readonly<Record<string, Disguise>> = {
  float16: { elementType: "float16" },
  bfloat16: { elementType: "bfloat16" },
  binary: { elementType: "binary" },
  int8: { elementType: "int8" },
  sparse: { elementType: "sparse" },
  multivector: { elementType: "multivector" },
  hamming: { metric: "other" },
  misfit: { misfits: ["No field `text`."] },
};

/** The sink `memory`, whose collections may say that they are something else. */
export const memory: Store = {
  [fc.toStringMethod]: () => "memory",
  shapes: new Map([
    ["plain", true],
    ...Object.keys(disguises).map((shape) => [shape, shape.includes("float16")] as const),
  ]),
  place() {
    const name = newName();
    return {
      connect({ pipeline, metric, shape }) {
        const config = memorySink.config.parse({ collection: name, create: { metric } });
        return disguised(memorySink.create(config, contextOf(pipeline)), disguises[shape] ?? {});
      },
      async make(_, dimension) {
        memoryStore.create(name, { dimension, metric: "cosine", fields: {} });
      },
      async image() {
        const live = memoryStore.get(name);
        return JSON.stringify(live && [live.spec, live.marker, [...live.records]]);
      },
      async stored() {
        const records = memoryStore.get(name)?.records.values() ?? [];
        return [...records].map(({ id, pipeline, text = "", vector }) => {
          return { id, pipeline, text, vector: [...vector] };
        });
      },
    };
  },
};

function disguised(sink: Sink, disguise: Disguise): Sink {
  return {
    address: sink.address,
    shape: sink.shape,
    createMetric: sink.createMetric,
    async describe(signal) {
      const live = await sink.describe(signal);
      return live && { ...live, ...disguise };
    },
    create: (spec, signal) => sink.create(spec, signal),
    open: (signal, agreed) => sink.open(signal, agreed),
    check: (signal) => sink.check(signal),
    close: () => sink.close(),
  };
}
