import type {
  Cursor,
  DocumentRef,
  LookupEvent,
  Source,
  SourceEvent,
} from "../../contracts/index.ts";
import { Fault } from "../../faults/index.ts";
import type { SimulatedProcess } from "./process.ts";
import type { World } from "./world.ts";

export interface SourceHabits {
  /** Goes on from a cursor; otherwise every listing begins anew. */
  readonly resumes: boolean;
  /** Documents change while they are listed, and are told twice. */
  readonly changesMeanwhile: boolean;
  /** Listings fail, are cut short, or miss a part. */
  readonly fails: boolean;
  readonly ordered: boolean;
}

/** A source over the world's documents, with a change log, that does all that a source may do. */
export function simulatedSource(
  world: World,
  process: SimulatedProcess,
  habits: SourceHabits,
): Source {
  const { random } = process;

  function refOf(id: string): DocumentRef | undefined {
    const document = world.documents.get(id);
    if (document === undefined) return undefined;
    const { version } = document;
    const bytes = new TextEncoder().encode(document.lines.join("\n"));
    return {
      id,
      revision: `v${version}`,
      ...(habits.ordered ? { order: BigInt(version) } : {}),
      mediaType: "text/plain",
      metadata: { label: document.label },
      content: {
        kind: "bytes",
        sizeBytes: bytes.length,
        async *open() {
          await process.pause();
          const now = world.documents.get(id);
          if (now === undefined) throw new Fault("source.vanished", `${id} vanished.`);
          if (now.version !== version) throw new Fault("source.changed", `${id} changed.`);
          yield bytes;
        },
      },
    };
  }

  function eventOf(id: string): SourceEvent & LookupEvent {
    const document = refOf(id);
    return document === undefined
      ? { kind: "deletion", documentId: id }
      : { kind: "document", document };
  }

  function* changesSince(position: number): Generator<SourceEvent> {
    const changed = new Set(world.changes.slice(position).map(({ id }) => id));
    for (const id of changed) yield eventOf(id);
  }

  async function* read(from: Cursor | undefined): AsyncGenerator<SourceEvent> {
    await process.pause();
    if (process.dies()) return process.hang();
    if (habits.fails && random.chance(process.rates.error)) throw unreachable();
    let log = world.changes.length;
    let after = "";
    const resumed = from !== undefined && habits.resumes;
    yield { kind: "listing", resumed };
    if (resumed) {
      const position = Number(from["log"]);
      after = String(from["after"]);
      yield* changesSince(position);
    }
    const cut = habits.fails && random.chance(process.rates.error * 2);
    const missing = habits.fails && !cut && random.chance(process.rates.error * 2);
    if (missing) yield { kind: "failure", prefix: "d/", fault: unreadable() };
    const listed = world.ids.filter((id) => id > after);
    for (const [index, id] of listed.entries()) {
      await process.pause();
      if (process.dies()) return process.hang();
      if (cut && index >= listed.length / 2) {
        if (random.chance(0.5)) throw unreachable();
        yield { kind: "end", listing: "partial" };
        return;
      }
      if (missing && id.startsWith("d/")) continue;
      const document = refOf(id);
      if (document !== undefined) yield { kind: "document", document };
      after = id;
      if (habits.changesMeanwhile && random.chance(0.2)) {
        world.mutate();
        yield* changesSince(log);
        log = world.changes.length;
      }
      if (habits.resumes && !missing && random.chance(0.4)) {
        yield* changesSince(log);
        log = world.changes.length;
        yield { kind: "checkpoint", cursor: { after, log } };
      }
    }
    const caughtUp = world.changes.length;
    yield* changesSince(log);
    yield { kind: "end", listing: "complete" };
    if (habits.resumes && !missing) {
      yield { kind: "checkpoint", cursor: { after: "\uffff", log: caughtUp } };
    }
  }

  return {
    identity: "world",
    read: (options) => read(options.from),
    async *lookup(wanted) {
      await process.pause();
      for (const id of wanted) yield eventOf(id);
    },
    async check() {},
    async close() {},
  };
}

function unreachable(): Fault {
  return new Fault("source.unreachable", "The source went away.");
}

function unreadable(): Fault {
  return new Fault("source.unreadable", "The folder d/ cannot be read.");
}
