import type {
  DocumentRow,
  Mutation,
  StateSession,
  StateStore,
} from "../../../../src/contracts/index.ts";
import { stateStoreLaws } from "../../../../src/testkit/index.ts";
import { memoryStateHarness, type FakeStatePlace } from "../fake-harnesses.ts";
import { mutantsOf } from "./mutant.ts";

type MutateSession = (session: StateSession, place: FakeStatePlace) => StateSession;

/** A session with other methods; the rest goes to the honest one. */
function withMethods(
  change: (session: StateSession, place: FakeStatePlace) => Partial<StateSession>,
): MutateSession {
  return (session, place) => {
    const { stateId, fence, lost } = session;
    return {
      stateId,
      fence,
      lost,
      lookup: (keys) => session.lookup(keys),
      commit: (mutations, options) => session.commit(mutations, options),
      pages: (query) => session.pages(query),
      count: (query) => session.count(query),
      sources: () => session.sources(),
      targets: () => session.targets(),
      deletionsSince: (source, at) => session.deletionsSince(source, at),
      runs: (limit) => session.runs(limit),
      value: (key) => session.value(key),
      close: () => session.close(),
      ...change(session, place),
    };
  };
}

function withMutations(
  change: (mutations: readonly Mutation[]) => readonly Mutation[],
): MutateSession {
  return withMethods((session) => ({
    commit: (mutations, options) => session.commit(change(mutations), options),
  }));
}

function withPages(
  change: (pages: (readonly DocumentRow[])[]) => (readonly DocumentRow[])[],
): MutateSession {
  return withMethods((session) => ({
    async *pages(query) {
      const pages: (readonly DocumentRow[])[] = [];
      for await (const page of session.pages(query)) pages.push(page);
      yield* change(pages);
    },
  }));
}

const pages = "pages through documents in the order of source and id, each once";
const atomic = "refuses to forget a document that a target holds, and does nothing of that commit";
const owes = "owes a document from `begin` on, and holds old and new ids as begun";
const lookups = "looks documents up in the order of the keys, known or not";
const deletions = "counts deletions of one source from a time on, also those of the future";

const sessionMutants = mutantsOf(
  "a state that",
  (mutate: MutateSession) => stateStoreLaws(memoryStateHarness(mutate)),
  [
    [
      "commits mutation by mutation",
      atomic,
      withMethods((session) => ({
        async commit(mutations, options) {
          for (const mutation of mutations) await session.commit([mutation], options);
        },
      })),
    ],
    [
      "swallows a refused commit",
      atomic,
      withMethods((session) => ({
        commit: (mutations, options) => session.commit(mutations, options).catch(() => {}),
      })),
    ],
    [
      "forgets what a target still holds",
      atomic,
      withMethods((session) => ({
        async commit(mutations, options) {
          const more = await Promise.all(
            mutations.map(async (mutation): Promise<Mutation[]> => {
              if (mutation.kind !== "forget") return [mutation];
              const [row] = await session.lookup([mutation.key]);
              const clears = [...(row?.targets.keys() ?? [])].map((target): Mutation => ({
                kind: "clear",
                key: mutation.key,
                target,
              }));
              return [...clears, mutation];
            }),
          );
          await session.commit(more.flat(), options);
        },
      })),
    ],
    [
      "fails a whole group for one bad commit",
      "refuses a bad commit alone, also among others at the same time",
      withMethods((session) => {
        let group: Mutation[] = [];
        return {
          async commit(mutations, options) {
            group.push(...mutations);
            await Promise.resolve();
            const all = group;
            group = [];
            await session.commit(all, options);
          },
        };
      }),
    ],
    [
      "looks up without the unknown ones",
      lookups,
      withMethods((session) => ({
        lookup: async (keys) => (await session.lookup(keys)).filter((row) => row !== undefined),
      })),
    ],
    [
      "looks up in the order of its index",
      lookups,
      withMethods((session) => ({
        lookup: async (keys) =>
          (await session.lookup(keys)).toSorted((left, right) =>
            (left?.id ?? "") < (right?.id ?? "") ? -1 : 1,
          ),
      })),
    ],
    [
      "does not owe what is begun",
      owes,
      withMutations((mutations) =>
        mutations.flatMap((mutation): Mutation[] =>
          mutation.kind === "begin"
            ? [mutation, { kind: "document", key: mutation.key, set: { owed: false } }]
            : [mutation],
        ),
      ),
    ],
    [
      "settles what is only begun",
      owes,
      withMutations((mutations) =>
        mutations.map((mutation): Mutation =>
          mutation.kind === "begin" ? { ...mutation, kind: "settle", version: "v" } : mutation,
        ),
      ),
    ],
    [
      "settles all targets at once",
      "settles one target with its version and ids, and leaves the others",
      withMutations((mutations) =>
        mutations.flatMap((mutation): Mutation[] =>
          mutation.kind === "settle" ? [mutation, { ...mutation, target: "t2" }] : [mutation],
        ),
      ),
    ],
    [
      "clears fields that a change does not name",
      "keeps every field of a document, and those that a change does not name",
      withMutations((mutations) =>
        mutations.map((mutation): Mutation =>
          mutation.kind === "document"
            ? { ...mutation, set: { content: "", ...mutation.set } }
            : mutation,
        ),
      ),
    ],
    [
      "commits in any order",
      "keeps the order of mutations and of commits that nobody waited for",
      withMethods((session) => ({
        async commit(mutations, options) {
          if (options?.durable === true) await new Promise((resolve) => setImmediate(resolve));
          await session.commit(mutations, options);
        },
      })),
    ],
    [
      "skips the first row of each further page",
      pages,
      withPages((all) => all.map((page, index) => (index === 0 ? page : page.slice(1)))),
    ],
    ["pages without an order", pages, withPages((all) => all.toReversed())],
    [
      "pages by number of rows",
      "pages steadily while rows already passed are changed and removed",
      withMethods((session) => ({
        async *pages(query) {
          for (let start = 0; ; start += 10) {
            const rows: DocumentRow[] = [];
            for await (const page of session.pages(query)) rows.push(...page);
            const page = rows.slice(start, start + 10);
            if (page.length === 0) return;
            yield page;
          }
        },
      })),
    ],
    [
      "ignores conditions of a query",
      "pages and counts by what is owed",
      withMethods((session) => ({ pages: () => session.pages({}) })),
    ],
    [
      "counts pages, not documents",
      "pages and counts by a source",
      withMethods((session) => ({
        count: async (query) => Math.ceil((await session.count(query)) / 500),
      })),
    ],
    [
      "replaces a count of deletions of the same instant",
      deletions,
      (() => {
        const seen = new Map<string, number>();
        return withMethods(() => ({
          async commit(mutations) {
            for (const mutation of mutations) {
              if (mutation.kind === "deletions")
                seen.set(`${mutation.source} ${mutation.at}`, mutation.count);
            }
          },
          deletionsSince: async (source, at) =>
            [...seen].reduce((sum, [key, count]) => {
              const [name, time] = key.split(" ");
              return name === source && Number(time) >= at ? sum + count : sum;
            }, 0),
        }));
      })(),
    ],
    [
      "counts only deletions of the past",
      deletions,
      withMethods((session) => ({
        deletionsSince: async (source, at) =>
          (await session.deletionsSince(source, at)) -
          (await session.deletionsSince(source, Date.now() + 60_000)),
      })),
    ],
    [
      "gives runs oldest first",
      "gives runs newest first, as many as asked, each once",
      withMethods((session) => ({
        runs: async (limit) => (await session.runs(limit)).toReversed(),
      })),
    ],
    [
      "acknowledges before anything is durable",
      "has every durable commit, and all before it, after a loss of power",
      withMethods((session) => ({
        commit: (mutations) => session.commit(mutations, { durable: false }),
      })),
    ],
    [
      "keeps commits that need not be durable in memory",
      "has every commit, durable or not, after the death of the process",
      withMethods((session) => {
        const later: Mutation[] = [];
        return {
          async commit(mutations, options) {
            if (options?.durable === false) later.push(...mutations);
            else await session.commit([...later.splice(0), ...mutations], options);
          },
        };
      }),
    ],
    [
      "has one fence for ever",
      "grows its fence with every writing session",
      withMethods(() => ({ fence: 1 })),
    ],
    [
      "shows readers what was when they began",
      "lets others read while one writes, and shows them what is committed",
      withMethods((session) => {
        let first: Promise<(DocumentRow | undefined)[]> | undefined;
        return { lookup: (keys) => (first ??= session.lookup(keys)) };
      }),
    ],
    [
      "names itself anew in every session",
      "makes a state with an id of its own, which every session sees",
      withMethods(() => ({ stateId: crypto.randomUUID() })),
    ],
  ],
);

type MutateStore = (store: StateStore, place: FakeStatePlace) => StateStore;

/** A store whose opening is changed. */
function withOpen(
  change: (mode: "read" | "write", place: FakeStatePlace) => void | Promise<void>,
): MutateStore {
  return (store, place) => {
    const inner = store.open as (...given: [object, AbortSignal]) => Promise<StateSession>;
    const open = async (
      options: Parameters<StateStore["open"]>[0],
      signal: AbortSignal,
    ): Promise<StateSession> => {
      await change(options.mode, place);
      return inner(options, signal);
    };
    return {
      address: store.address,
      open: open as StateStore["open"],
      isHeld: () => store.isHeld(),
      close: () => store.close(),
    };
  };
}

const storeMutants = mutantsOf(
  "a state store that",
  (mutate: MutateStore) => stateStoreLaws(memoryStateHarness(undefined, mutate)),
  [
    [
      "gives its lease to whoever asks",
      "gives its lease to one writing session at a time",
      withOpen((mode, place) => {
        if (mode === "write") place.memory.crash();
      }),
    ],
    [
      "says that nobody holds the lease",
      "tells whether its lease is held, to the holder and to others",
      (store) => ({ ...store, isHeld: async () => false }),
    ],
    [
      "says for ever that somebody holds the lease",
      "tells whether its lease is held, to the holder and to others",
      (store) => ({ ...store, isHeld: async () => true }),
    ],
    [
      "makes a state when it is only asked to read",
      "finds no state where none was made, and makes none by reading",
      withOpen(async (mode, place) => {
        if (mode === "write") return;
        const signal = new AbortController().signal;
        const session = await place.memory.open({ pipeline: "law", mode: "write" }, signal);
        await session.close();
      }),
    ],
  ],
);

export const stateMutants = [...sessionMutants, ...storeMutants];
