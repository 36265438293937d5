import type {
  Cursor,
  DocumentRef,
  LookupEvent,
  Source,
  SourceEvent,
} from "../../contracts/index.ts";
import { Fault } from "../../faults/index.ts";
import { FakeFolder } from "./folder.ts";

const checkpointEvery = 10;

/** A source that lists a fake folder, resumes listings, and follows changes. */
export function createFakeSource(folder: FakeFolder = new FakeFolder()): Source {
  return {
    identity: "fake:folder",
    read: (options, signal) => readFolder(folder, options, signal),
    async *lookup(documentIds, signal) {
      for (const id of documentIds) {
        reach(folder, signal);
        yield describe(folder, id);
      }
    },
    check: async (signal) => reach(folder, signal),
    close: async () => {},
  };
}

/** A source that says exactly these events, whatever it is asked; for tests of the engine. */
export function createScriptedSource(events: readonly SourceEvent[]): Source {
  const documents = new Map<string, DocumentRef>();
  for (const event of events) {
    if (event.kind === "document") documents.set(event.document.id, event.document);
    if (event.kind === "deletion") documents.delete(event.documentId);
  }
  return {
    identity: "fake:script",
    async *read(_options, signal) {
      for (const event of events) {
        signal.throwIfAborted();
        yield event;
      }
    },
    async *lookup(documentIds, signal) {
      for (const documentId of documentIds) {
        signal.throwIfAborted();
        const document = documents.get(documentId);
        if (document === undefined) yield { kind: "deletion", documentId };
        else yield { kind: "document", document };
      }
    },
    check: async (signal) => signal.throwIfAborted(),
    close: async () => {},
  };
}

async function* readFolder(
  folder: FakeFolder,
  options: { readonly from?: Cursor; readonly follow: boolean },
  signal: AbortSignal,
): AsyncIterable<SourceEvent> {
  reach(folder, signal);
  const from = toCursor(options.from);
  let position = folder.log.length;
  yield { kind: "listing", resumed: from !== undefined };
  for (const prefix of folder.unreadable) {
    yield { kind: "failure", prefix, fault: unreadable(prefix) };
  }
  if (from !== undefined) yield* changesSince(folder, from.position, signal, from.after);
  let listed = 0;
  for (const id of folder.listing()) {
    if (from !== undefined && id <= from.after) continue;
    reach(folder, signal);
    const event = describe(folder, id);
    if (event.kind === "document") yield event;
    listed += 1;
    if (listed % checkpointEvery === 0) {
      yield { kind: "checkpoint", cursor: { after: id, position: from?.position ?? position } };
    }
  }
  yield { kind: "end", listing: "complete" };
  while (options.follow) {
    const [changed, since] = [folder.changed(), position];
    position = folder.log.length;
    yield* changesSince(folder, since, signal);
    await untilAborted(changed, signal);
  }
}

function* changesSince(
  folder: FakeFolder,
  position: number,
  signal: AbortSignal,
  upTo?: string,
): Generator<SourceEvent> {
  for (const id of new Set(folder.log.slice(position).map((change) => change.id))) {
    reach(folder, signal);
    if (upTo === undefined || id <= upTo) yield describe(folder, id);
  }
}

function describe(folder: FakeFolder, documentId: string): LookupEvent {
  if (folder.isHidden(documentId)) {
    return { kind: "failure", documentId, fault: unreadable(documentId) };
  }
  const found = folder.documents.get(documentId);
  if (found === undefined) return { kind: "deletion", documentId };
  const document: DocumentRef = {
    id: documentId,
    revision: `${found.version}`,
    mediaType: "text/x-fake",
    metadata: {},
    content: {
      kind: "bytes",
      sizeBytes: found.bytes.length,
      open: (signal) => openDocument(folder, documentId, found.version, signal),
    },
  };
  return { kind: "document", document };
}

async function* openDocument(
  folder: FakeFolder,
  id: string,
  version: number,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  reach(folder, signal);
  const found = folder.documents.get(id);
  if (found === undefined) {
    throw new Fault("source.vanished", `The document \`${id}\` vanished after it was listed.`);
  }
  if (found.version !== version) {
    throw new Fault("source.changed", `The document \`${id}\` changed after it was listed.`);
  }
  for (let start = 0; start < found.bytes.length; start += 1024) {
    signal.throwIfAborted();
    yield found.bytes.slice(start, start + 1024);
  }
}

function reach(folder: FakeFolder, signal: AbortSignal): void {
  signal.throwIfAborted();
  if (folder.unreachable) {
    throw new Fault("source.unreachable", "The fake folder is not there. Nothing is deleted.");
  }
}

function unreadable(what: string): Fault {
  return new Fault("source.unreadable", `\`${what}\` cannot be read. Check its permissions.`);
}

function toCursor(cursor: Cursor | undefined): { after: string; position: number } | undefined {
  const { after, position } = cursor ?? {};
  if (typeof after !== "string" || typeof position !== "number") return undefined;
  return { after, position };
}

async function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
