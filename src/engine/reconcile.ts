import type { DocumentRef, DocumentRow } from "../contracts/index.ts";
import { versionOf } from "./versions.ts";

/** A target as far as deciding needs it. */
export interface TargetVersion {
  readonly id: string;
  /** See `versionBase`. */
  readonly base: string;
}

export interface ReconcileInput {
  readonly document: DocumentRef;
  readonly row: DocumentRow | undefined;
  /** The hash of what the source says about the document besides its content. */
  readonly metadata: string;
  readonly recipe: string;
  readonly targets: readonly TargetVersion[];
  /** Read the content whatever the revision says. */
  readonly full: boolean;
}

export type Reconciliation =
  /** Every target holds this version already. */
  | { readonly kind: "unchanged" }
  /** An event older than what is known. */
  | { readonly kind: "outdated" }
  /** It failed in this very version and recipe, and would again. */
  | { readonly kind: "dead" }
  /** The content must be opened; some targets may still turn out to be current. */
  | { readonly kind: "work" };

/** Decides what an event about a document asks for. No I/O. */
export function reconcile(input: ReconcileInput): Reconciliation {
  const { document, row } = input;
  if (row === undefined) return { kind: "work" };
  if (isOutdated(document.order, row)) return { kind: "outdated" };
  const { failure } = row;
  const sameFailure =
    failure !== undefined &&
    failure.retry === "never" &&
    failure.revision === failureRevision(document, input.metadata) &&
    failure.recipe === input.recipe;
  const stale = staleTargets(row, input.targets, row.content, input.metadata);
  if (sameFailure && document.provisional !== true && !input.full) {
    // A sink that refused the document does not keep it from a sink that was not asked yet.
    const refused = stale.every((target) => row.targets.get(target.id)?.status === "begun");
    return { kind: failure.stage !== "write" || refused ? "dead" : "work" };
  }
  if (input.full || row.revision === undefined || row.revision !== document.revision) {
    return { kind: "work" };
  }
  return stale.length === 0 && failure === undefined ? { kind: "unchanged" } : { kind: "work" };
}

/** The targets that do not hold exactly this version of the document. */
export function staleTargets<T extends TargetVersion>(
  row: DocumentRow | undefined,
  targets: readonly T[],
  content: string,
  metadata: string,
): readonly T[] {
  return targets.filter((target) => {
    const held = row?.targets.get(target.id);
    if (held?.status !== "settled") return true;
    return held.version !== versionOf(target.base, content, metadata);
  });
}

/** What a dead letter remembers: a change of content or of metadata makes it be tried again. */
export function failureRevision(document: DocumentRef, metadata: string): string {
  return `${document.revision}/${metadata}`;
}

export function isOutdated(order: bigint | undefined, row: DocumentRow): boolean {
  return order !== undefined && row.order !== undefined && order < BigInt(row.order);
}
