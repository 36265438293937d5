import type { ComponentNote, FaultLike } from "../contracts/index.ts";
import type { FailureSummary, WithheldSummary } from "./summary.ts";

/** What a run tells while it works. Observers must not throw and should be quick. */
export type RunEvent =
  | { readonly kind: "run-started"; readonly pipeline: string; readonly run: string }
  | {
      readonly kind: "target-opened";
      readonly sink: string;
      readonly address: string;
      readonly dimension: number;
      readonly created: boolean;
    }
  | { readonly kind: "listing-started"; readonly source: string; readonly resumed: boolean }
  | {
      readonly kind: "listing-ended";
      readonly source: string;
      readonly listing: "complete" | "partial";
    }
  /** Nothing was ever found there. `whenEmpty` is what the source has to say about it. */
  | { readonly kind: "source-empty"; readonly source: string; readonly whenEmpty?: string }
  | {
      readonly kind: "document-settled";
      readonly document: string;
      readonly outcome: "added" | "updated" | "unchanged" | "deleted";
    }
  | { readonly kind: "document-failed"; readonly failure: FailureSummary; readonly known: boolean }
  /** What a component has to say at the start of a run. */
  | { readonly kind: "component-noted"; readonly component: string; readonly note: ComponentNote }
  | { readonly kind: "document-warned"; readonly document: string; readonly message: string }
  | { readonly kind: "documents-unchanged"; readonly source: string; readonly count: number }
  /** A call brought the vectors of so many texts, in so long; waits and attempts before it aside. */
  | {
      readonly kind: "chunks-embedded";
      readonly count: number;
      readonly tokens: number;
      readonly milliseconds: number;
    }
  | { readonly kind: "chunks-cached"; readonly count: number }
  | {
      readonly kind: "records-written";
      readonly sink: string;
      readonly upserted: number;
      readonly deleted: number;
    }
  | {
      readonly kind: "retrying";
      readonly component: string;
      readonly fault: FaultLike;
      readonly delayMs: number;
    }
  | { readonly kind: "component-failed"; readonly component: string; readonly fault: FaultLike }
  | { readonly kind: "deletions-withheld"; readonly withheld: WithheldSummary }
  | { readonly kind: "waiting"; readonly reason: "write-horizon"; readonly milliseconds: number }
  | { readonly kind: "stopping" };
