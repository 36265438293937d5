import type { CollectionDescription } from "../contracts/index.ts";

/** What may be unknown of a collection. */
type Uncertain = "dimension" | "metric" | "metricName" | "marker";

/** What an adapter found out about a collection; undefined is what it could not. */
export type Findings = Omit<CollectionDescription, Uncertain> & {
  readonly [Key in Uncertain]?: CollectionDescription[Key] | undefined;
};

/** The description of a collection, without what is not known. */
export function describeCollection(findings: Findings): CollectionDescription {
  const known = Object.entries(findings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as unknown as CollectionDescription;
}
