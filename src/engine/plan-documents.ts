import type {
  Clock,
  DocumentKey,
  DocumentRef,
  DocumentRow,
  FaultLike,
  SourceEvent,
  StateSession,
} from "../contracts/index.ts";
import { isFault } from "../faults/index.ts";
import { batches } from "../flow/index.ts";
import { guardedDocuments } from "./baseline.ts";
import { guardDeletions, guardWindowMs } from "./guard.ts";
import type { Pipeline, PipelineSource } from "./pipeline.ts";
import { ChunkEstimate } from "./plan-chunks.ts";
import { reconcile, type TargetVersion } from "./reconcile.ts";
import type { Space } from "./space.ts";
import type { WithheldSummary } from "./summary.ts";
import type { SinkSurvey } from "./survey.ts";
import { metadataHash, Recipes } from "./versions.ts";

export interface PlannedDocuments {
  listed: number;
  add: number;
  update: number;
  delete: number;
  withhold: number;
  unchanged: number;
  failed: number;
}

/** Decides on every document of the sources as a run would. */
export class DocumentPlanner {
  readonly counts: PlannedDocuments = {
    listed: 0,
    add: 0,
    update: 0,
    delete: 0,
    withhold: 0,
    unchanged: 0,
    failed: 0,
  };
  readonly withheld: WithheldSummary[] = [];
  /** Sources that a run would go on without. */
  readonly lost: { readonly component: string; readonly fault: FaultLike }[] = [];
  readonly chunks: ChunkEstimate;
  readonly #pipeline: Pipeline;
  readonly #session: StateSession | undefined;
  readonly #surveys: readonly SinkSurvey[];
  /** The collections that the state may know. */
  readonly #targets: readonly string[];
  readonly #recipes: Recipes;
  readonly #full: boolean;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;

  constructor(options: {
    readonly pipeline: Pipeline;
    readonly session: StateSession | undefined;
    readonly surveys: readonly SinkSurvey[];
    readonly space: Space;
    readonly full: boolean;
    readonly clock: Clock;
    readonly signal: AbortSignal;
  }) {
    const { pipeline, session, surveys, space, full, clock, signal } = options;
    this.#pipeline = pipeline;
    this.#session = session;
    this.#surveys = surveys;
    this.#targets = surveys.flatMap(({ marker }) =>
      marker === undefined ? [] : [marker.incarnation],
    );
    this.#recipes = new Recipes(pipeline, space.hash);
    this.#full = full;
    this.#clock = clock;
    this.#signal = signal;
    this.chunks = new ChunkEstimate(pipeline, space.hash, clock, signal);
  }

  /** Lists a source and decides on its documents and deletions. */
  async source(source: PipelineSource): Promise<void> {
    try {
      await this.#read(source);
    } catch (error) {
      const isLost = isFault(error) && error.code.startsWith("source.");
      if (!isLost || this.#signal.aborted) throw error;
      this.lost.push({ component: `sources.${source.name}`, fault: error });
    }
  }

  /** Decides on the documents of sources that are no longer in the file. */
  async removedSources(): Promise<void> {
    for (const { name } of (await this.#session?.sources()) ?? []) {
      if (!this.#pipeline.sources.has(name)) await this.#deletions(name, () => true, "removed");
    }
  }

  async #read(source: PipelineSource): Promise<void> {
    const seen = new Set<string>();
    const unknown: string[] = [];
    let complete = false;
    const read = source.source.read({ follow: false }, this.#signal);
    const grouped = batches(read, { size: 256, waitMs: 5, clock: this.#clock }, this.#signal);
    for await (const events of grouped) {
      for (const event of events) {
        if (event.kind === "end") complete = event.listing === "complete";
        if (event.kind === "failure" && "prefix" in event) unknown.push(event.prefix);
      }
      await this.#events(source, events, seen);
    }
    this.counts.failed += unknown.length;
    this.counts.listed += unknown.length;
    if (!complete || this.#session === undefined) return;
    const gone = (row: DocumentRow): boolean =>
      !seen.has(row.id) && !unknown.some((prefix) => row.id.startsWith(prefix));
    const [stored] = (await this.#session.sources()).filter((row) => row.name === source.name);
    const moved = stored !== undefined && stored.identity !== source.source.identity;
    await this.#deletions(source.name, gone, moved ? "identity" : undefined);
  }

  async #events(
    source: PipelineSource,
    events: readonly SourceEvent[],
    seen: Set<string>,
  ): Promise<void> {
    const documents: DocumentRef[] = [];
    for (const event of events) {
      if (event.kind === "failure" && "documentId" in event) {
        seen.add(event.documentId);
        this.counts.listed += 1;
        this.counts.failed += 1;
      } else if (event.kind === "document" && !seen.has(event.document.id)) {
        seen.add(event.document.id);
        documents.push(event.document);
      } else if (event.kind === "deletion") seen.delete(event.documentId);
    }
    const keys = documents.map(({ id }): DocumentKey => ({ source: source.name, id }));
    const rows = (await this.#session?.lookup(keys)) ?? [];
    for (const [index, document] of documents.entries()) {
      await this.#document(source, document, rows[index]);
    }
  }

  async #document(
    source: PipelineSource,
    document: DocumentRef,
    row: DocumentRow | undefined,
  ): Promise<void> {
    const { counts } = this;
    counts.listed += 1;
    const recipe = this.#recipes.of(source, document);
    const targets = this.#surveys.map((survey): TargetVersion => {
      const base = recipe.baseFor(survey.sink.sink.shape);
      return { id: survey.marker?.incarnation ?? "", base };
    });
    const metadata = metadataHash(document, source.metadata);
    const full = this.#full;
    const decision = reconcile({ document, row, metadata, recipe: recipe.id, targets, full }).kind;
    if (decision === "unchanged" || decision === "outdated") counts.unchanged += 1;
    else if (decision === "dead") counts.failed += 1;
    else {
      const outcome = await this.chunks.add(source, document, row, targets, metadata);
      if (outcome === "current") counts.unchanged += 1;
      else if (outcome === "failed") counts.failed += 1;
      else if (row === undefined || row.content === "") counts.add += 1;
      else counts.update += 1;
    }
  }

  async #deletions(
    source: string,
    gone: (row: DocumentRow) => boolean,
    untrusted: "identity" | "removed" | undefined,
  ): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    let wanted = 0;
    let letGo = 0;
    const examples: string[] = [];
    for await (const page of session.pages({ source })) {
      for (const row of page) {
        if (!this.#targets.some((target) => row.targets.has(target)) || !gone(row)) continue;
        if (row.gone && row.owed) {
          letGo += 1;
          continue;
        }
        wanted += 1;
        if (examples.length < 5) examples.push(`${row.source}:${row.id}`);
      }
    }
    const held = await guardedDocuments(session, source, this.#targets);
    const decision = guardDeletions({
      indexed: Math.max(0, held - letGo),
      deletedInWindow: await session.deletionsSince(source, this.#clock.now() - guardWindowMs),
      wanted,
      maxFraction: this.#pipeline.policy.deletions.maxFraction,
      untrusted,
      userAllows: undefined,
    });
    this.counts.delete += letGo;
    if (decision.kind === "delete") {
      this.counts.delete += wanted;
      return;
    }
    this.counts.withhold += wanted;
    const { allowed, reason } = decision;
    this.withheld.push({ source, count: wanted, allowed, examples, reason });
  }
}
