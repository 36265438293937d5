import type { Catalog, Connector, ConnectorKind } from "../contracts/index.ts";
import { type ExternalReference, externalReference } from "./external.ts";
import { suggestion } from "./nearest.ts";

/** Loads a connector that a file names by path or package; or says why it cannot. */
export type LoadExternal = (
  reference: ExternalReference,
  kind: ConnectorKind,
  folder: string,
) => Promise<Connector | { readonly why: string }>;

/** What a `type` leads to. `connector` is undefined when it may not be loaded. */
export type Resolution = { readonly connector: Connector | undefined } | { readonly why: string };

/** Finds connectors by kind and type; loads only what is asked for. */
export interface Registry {
  types(kind: ConnectorKind): string[];
  resolve(kind: ConnectorKind, type: string): Promise<Resolution>;
}

export function createRegistry(
  catalog: Catalog,
  folder: string,
  loadExternal: LoadExternal | undefined,
): Registry {
  const types = (kind: ConnectorKind): string[] =>
    catalog.filter((entry) => entry.kind === kind).map((entry) => entry.type);
  return {
    types,
    async resolve(kind, type) {
      const entry = catalog.find((line) => line.kind === kind && line.type === type);
      if (entry !== undefined) return { connector: await entry.load() };
      const reference = externalReference(type, folder);
      if (reference === undefined) return { why: unknownType(kind, type, catalog) };
      if (reference.kind === "missing") return { why: reference.why };
      if (loadExternal === undefined) return { connector: undefined };
      const loaded = await loadExternal(reference, kind, folder);
      return "why" in loaded ? loaded : { connector: loaded };
    },
  };
}

function unknownType(kind: ConnectorKind, type: string, catalog: Catalog): string {
  const known = catalog.filter((entry) => entry.kind === kind).map((entry) => entry.type);
  const others = catalog.filter((entry) => entry.type === type).map((entry) => entry.kind);
  const elsewhere = others[0] === undefined ? "" : ` (\`${type}\` is a kind of ${others[0]})`;
  const list = known.map((name) => `\`${name}\``).join(", ");
  return (
    `there is no ${kind} \`${type}\`${elsewhere}${suggestion(type, known)} ` +
    `(known: ${list}; or a path that begins with \`./\`, or an installed package)`
  );
}
