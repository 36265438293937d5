import type { Collection, Sink } from "../src/contracts/index.ts";

/** A sink that describes and marks its collection as ever, and throws away what is written. */
export function forgetful(sink: Sink): Sink {
  return changed<Sink>(sink, {
    create: async (spec, signal) => deaf(await sink.create(spec, signal)),
    open: async (signal, agreed) => deaf(await sink.open(signal, agreed)),
  });
}

function deaf(collection: Collection): Collection {
  return changed<Collection>(collection, {
    write: async () => ({ failed: new Map() }),
    optimize: async () => undefined,
  });
}

function changed<Kind extends object>(whole: Kind, changes: Partial<Kind>): Kind {
  return new Proxy(whole, {
    get(target, key): unknown {
      const value: unknown = Reflect.get(Object.hasOwn(changes, key) ? changes : target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
