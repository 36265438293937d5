import { randomUUID } from "node:crypto";
import type {
  DocumentKey,
  DocumentQuery,
  DocumentRow,
  FailureRow,
  Mutation,
  StateSession,
  StateStore,
  TargetInfo,
} from "../contracts/index.ts";
import type { LawContext, LawHarness } from "./law.ts";

/** Where the state of one pipeline is kept. */
export interface StatePlace {
  /** Makes a store here; each call may give another one. The place closes what it made when the law is over. */
  store(): Promise<StateStore>;
}

/** How the laws make a state store and break it. */
export interface StateHarness<Place extends StatePlace = StatePlace> extends LawHarness {
  /** A place without a state; each call gives another. */
  place(context: LawContext): Promise<Place>;
  /** Ends every session as the death of the process would, without `close`. */
  crash?(place: Place): Promise<void>;
  /** The same with a loss of power: only durable commits need survive, and all before them. */
  losePower?(place: Place): Promise<void>;
  /** Damages what is kept. */
  damage?(place: Place): Promise<void>;
  /** Puts something that is not a state of sluice where the state would be, before any was made. */
  foreign?(place: Place): Promise<void>;
}

export const pipeline = "law";

/** Opens the state for writing. */
export async function openWriting(
  place: StatePlace,
  context: LawContext,
  name: string = pipeline,
): Promise<StateSession> {
  const store = await place.store();
  const session = await store.open({ pipeline: name, mode: "write" }, context.signal);
  context.defer(() => session.close());
  return session;
}

/** Opens the state for reading. */
export async function openReading(
  place: StatePlace,
  context: LawContext,
  name: string = pipeline,
): Promise<StateSession | undefined> {
  const store = await place.store();
  const session = await store.open({ pipeline: name, mode: "read" }, context.signal);
  context.defer(() => session?.close());
  return session;
}

/** A place with a session that writes. */
export async function openPlaceForWriting<Place extends StatePlace>(
  harness: StateHarness<Place>,
  context: LawContext,
): Promise<{ readonly place: Place; readonly session: StateSession }> {
  const place = await harness.place(context);
  return { place, session: await openWriting(place, context) };
}

export function keyOf(id: string, source = "docs"): DocumentKey {
  return { source, id };
}

export function setDocument(
  key: DocumentKey,
  set: Extract<Mutation, { readonly kind: "document" }>["set"] = {},
): Mutation {
  return { kind: "document", key, set };
}

/** Lower-case UUIDs. */
export function makeIds(count: number): string[] {
  return Array.from({ length: count }, () => randomUUID());
}

export function makeTarget(target: string): TargetInfo {
  return {
    target,
    sink: "search",
    address: "memory:law",
    dimension: 1024,
    space: "a".repeat(64),
    markerSeq: 3,
    attemptedSeq: 4,
  };
}

export function makeFailure(changes: Partial<FailureRow> = {}): FailureRow {
  return {
    stage: "parse",
    code: "parse.malformed",
    message: 'It\'s broken: "quoted" and\nlong.',
    retry: "never",
    scope: "document",
    revision: "r1",
    recipe: "c1",
    attempts: 2,
    since: 3,
    firstAt: 1_700_000_000_000,
    lastAt: 1_700_000_100_000,
    accepted: false,
    ...changes,
  };
}

/** A row as a new document has it. */
export function newRow(key: DocumentKey, changes: Partial<DocumentRow> = {}): DocumentRow {
  return {
    ...key,
    revision: undefined,
    content: "",
    order: undefined,
    seen: 0,
    gone: false,
    owed: false,
    targets: new Map(),
    failure: undefined,
    counted: undefined,
    ...changes,
  };
}

/** The row of one document. */
export async function lookupOne(
  session: StateSession,
  key: DocumentKey,
): Promise<DocumentRow | undefined> {
  const [row] = await session.lookup([key]);
  return row;
}

/** A row as the contract describes it, whatever else the store puts into it. */
export function plainRow(row: DocumentRow | undefined): DocumentRow | undefined {
  if (row === undefined) return undefined;
  const { source, id, revision, content, order, seen, gone, owed, failure, counted } = row;
  const targets = new Map(
    [...row.targets].map(([target, { status, version, ids }]) => [
      target,
      { status, version, ids: [...ids] },
    ]),
  );
  return {
    source,
    id,
    revision,
    content,
    order,
    seen,
    gone,
    owed,
    targets,
    failure: failure === undefined ? undefined : { ...failure },
    counted: counted === undefined ? undefined : { ...counted },
  };
}

/** The ids of all documents of a query, in the order of the pages. */
export async function pageIds(session: StateSession, query: DocumentQuery): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of session.pages(query)) ids.push(...page.map((row) => row.id));
  return ids;
}
