import type { DocumentRow, Mutation, StateSession } from "../contracts/index.ts";
import type { Pipeline } from "./pipeline.ts";

export type SourceRename = Mutation & { readonly kind: "rename-source" };

/** The renames of sources that a state has yet to carry out: `previously` names what it knows, and the new name is new. */
export async function sourceRenames(
  pipeline: Pipeline,
  session: StateSession,
): Promise<readonly SourceRename[]> {
  const known = new Set((await session.sources()).map((row) => row.name));
  return [...pipeline.sources.values()].flatMap(({ name, previously }): SourceRename[] => {
    if (previously === undefined || pipeline.sources.has(previously)) return [];
    if (known.has(name) || !known.has(previously)) return [];
    return [{ kind: "rename-source", from: previously, to: name }];
  });
}

/** A reading session as it will be when renames have been carried out. */
export function asRenamed(session: StateSession, renames: readonly SourceRename[]): StateSession {
  if (renames.length === 0) return session;
  const newNames = new Map(renames.map(({ from, to }) => [from, to]));
  const oldNames = new Map(renames.map(({ from, to }) => [to, from]));
  const stored = (name: string): string => oldNames.get(name) ?? name;
  const query = <Query extends { readonly source?: string }>(wanted: Query): Query =>
    wanted.source === undefined ? wanted : { ...wanted, source: stored(wanted.source) };
  const named = (row: DocumentRow): DocumentRow => {
    return { ...row, source: newNames.get(row.source) ?? row.source };
  };
  return {
    stateId: session.stateId,
    fence: session.fence,
    lost: session.lost,
    async lookup(keys) {
      const rows = await session.lookup(
        keys.map(({ source, id }) => ({ source: stored(source), id })),
      );
      return rows.map((row) => row && named(row));
    },
    commit: (mutations, options) => session.commit(mutations, options),
    async *pages(wanted) {
      for await (const page of session.pages(query(wanted))) yield page.map(named);
    },
    count: (wanted) => session.count(query(wanted)),
    async sources() {
      const rows = await session.sources();
      return rows.map((row) => ({ ...row, name: newNames.get(row.name) ?? row.name }));
    },
    targets: () => session.targets(),
    deletionsSince: (source, at) => session.deletionsSince(stored(source), at),
    runs: (limit) => session.runs(limit),
    value: (key) => session.value(key),
    close: () => session.close(),
  };
}
