import type {
  Clock,
  DocumentKey,
  DocumentRef,
  DocumentRow,
  EmbeddingModel,
  SourceEvent,
  StateSession,
} from "../contracts/index.ts";
import { batches, systemClock } from "../flow/index.ts";
import { checkChunkers } from "./check-chunkers.ts";
import { estimate, type Estimate } from "./estimate.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { guardDeletions, guardWindowMs } from "./guard.ts";
import { checkMark, stateRefusal } from "./marks.ts";
import { openStateToRead } from "./open-state.ts";
import { pick } from "./pick.ts";
import type { Pipeline, PipelineSource } from "./pipeline.ts";
import { ChunkEstimate } from "./plan-chunks.ts";
import { recipeChange } from "./recipes.ts";
import { reconcile, type TargetVersion } from "./reconcile.ts";
import { guardedDocuments } from "./baseline.ts";
import { checkCache, checkProbe, openSpace, type Space } from "./space.ts";
import type { WithheldSummary } from "./summary.ts";
import { surveySink, type SinkSurvey } from "./survey.ts";
import { metadataHash, Recipes } from "./versions.ts";

export interface PlanOptions {
  readonly full?: boolean;
  readonly sources?: readonly string[];
  readonly sinks?: readonly string[];
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** One row of the dimension table. */
export interface PlannedSink {
  readonly sink: string;
  readonly address: string;
  readonly exists: boolean;
  readonly live_dimension?: number;
  /** The dimension that vectors will have there. */
  readonly dimension?: number;
  readonly metric?: string;
  readonly records: number;
  readonly model: {
    readonly id: string;
    readonly native: number;
    readonly min: number;
    readonly matryoshka: boolean;
  };
  readonly action: "create" | "open" | "refuse";
  readonly code?: string;
  readonly reason?: string;
  readonly remedy?: string;
}

/** What a run would do, as far as it can be known without doing it. */
export interface Plan extends Estimate {
  readonly pipeline: string;
  readonly sinks: readonly PlannedSink[];
  readonly documents: {
    readonly listed: number;
    readonly add: number;
    readonly update: number;
    readonly delete: number;
    readonly withhold: number;
    readonly unchanged: number;
    readonly failed: number;
  };
  /** `exact` is false when only a part was chunked and the rest estimated by its size. */
  readonly chunks: {
    readonly total: number;
    readonly to_embed: number;
    readonly cached: number;
    readonly exact: boolean;
  };
  /** Tokens to embed. */
  readonly tokens: number;
  readonly withheld: readonly WithheldSummary[];
  /** Documents that a changed recipe would embed again, when that is refused without `--reprocess`. */
  readonly reprocess?: { readonly affected: number; readonly indexed: number };
  /** A run would change something, or is refused. */
  readonly to_do: boolean;
}

export interface PlanResult {
  readonly plan: Plan;
  /** 4 when a run would refuse something, otherwise 0. */
  readonly exitCode: ExitCode;
}

/** Asks every component for live truth and tells what a run would do. Writes nothing, takes no lease. */
export async function plan(pipeline: Pipeline, options: PlanOptions = {}): Promise<PlanResult> {
  const signal = options.signal ?? new AbortController().signal;
  const session = await openStateToRead(pipeline, signal);
  try {
    return await new Planner(pipeline, options, session, signal).plan();
  } finally {
    await session?.close();
  }
}

interface Counts {
  listed: number;
  add: number;
  update: number;
  delete: number;
  withhold: number;
  unchanged: number;
  failed: number;
}

class Planner {
  readonly #pipeline: Pipeline;
  readonly #options: PlanOptions;
  readonly #session: StateSession | undefined;
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  readonly #counts: Counts = {
    listed: 0,
    add: 0,
    update: 0,
    delete: 0,
    withhold: 0,
    unchanged: 0,
    failed: 0,
  };
  readonly #withheld: WithheldSummary[] = [];

  constructor(
    pipeline: Pipeline,
    options: PlanOptions,
    session: StateSession | undefined,
    signal: AbortSignal,
  ) {
    this.#pipeline = pipeline;
    this.#options = options;
    this.#session = session;
    this.#signal = signal;
    this.#clock = options.clock ?? systemClock;
  }

  async plan(): Promise<PlanResult> {
    const space = await this.#space();
    const sinks = pick(this.#pipeline.sinks, this.#options.sinks, "sink");
    const surveys: SinkSurvey[] = [];
    for (const sink of sinks) {
      const survey = await surveySink(this.#pipeline, sink, space, this.#signal);
      surveys.push(survey);
      const { marker, decision } = survey;
      if (marker === undefined || decision.kind === "refuse") continue;
      checkProbe(space, marker.probe, marker.dimension, `the collection ${sink.sink.address}`);
    }
    const planned = await Promise.all(surveys.map((survey) => this.#row(survey, space)));
    const recipes = new Recipes(this.#pipeline, space.hash);
    const chunks = new ChunkEstimate(this.#pipeline, space.hash, this.#clock, this.#signal);
    for (const source of pick(this.#pipeline.sources, this.#options.sources, "source")) {
      await this.#source(source, surveys, recipes, chunks);
    }
    await this.#removedSources(targetsOf(surveys));
    const reprocess = await this.#reprocess(space);
    const figures = await chunks.finish();
    const counts = this.#counts;
    const refused =
      planned.some(({ action }) => action === "refuse") ||
      counts.withhold > 0 ||
      reprocess !== undefined;
    const work = counts.add + counts.update + counts.delete > 0;
    const create = planned.some(({ action }) => action === "create");
    const result: Plan = {
      pipeline: this.#pipeline.name,
      sinks: planned,
      documents: counts,
      ...figures,
      ...(await estimate(figures.tokens, space.model, this.#session)),
      withheld: this.#withheld,
      ...(reprocess === undefined ? {} : { reprocess }),
      to_do: work || create || refused,
    };
    return { plan: result, exitCode: refused ? exitCodes.refused : exitCodes.done };
  }

  async #space(): Promise<Space> {
    const { embedder } = this.#pipeline;
    const space = await openSpace(embedder, (request) => request(), this.#signal);
    checkChunkers(this.#pipeline, space.model);
    await checkCache(this.#pipeline, space);
    return space;
  }

  async #row(survey: SinkSurvey, space: Space): Promise<PlannedSink> {
    const { sink, decision, live } = survey;
    const base = {
      sink: sink.name,
      address: sink.sink.address,
      exists: live !== undefined,
      ...(live?.dimension === undefined ? {} : { live_dimension: live.dimension }),
      ...(live?.metric === undefined ? {} : { metric: live.metric }),
      records: live?.records ?? 0,
      model: modelRow(space.model),
    };
    if (decision.kind === "refuse") {
      const { code, reason, remedy } = decision;
      return { ...base, action: "refuse", code, reason, remedy };
    }
    const { dimension, metric } = decision;
    const chosen = { ...base, dimension, metric: base.metric ?? metric };
    const reason = await this.#stateRefusal(survey);
    if (reason === undefined) return { ...chosen, action: decision.kind };
    const refusal = stateRefusal(sink, reason);
    return { ...chosen, action: "refuse", code: "refused.state", ...refusal };
  }

  async #stateRefusal({ marker }: SinkSurvey): Promise<string | undefined> {
    if (marker === undefined) return undefined;
    const infos = (await this.#session?.targets()) ?? [];
    const mark = checkMark({
      marker,
      pipeline: this.#pipeline.name,
      previously: this.#pipeline.previously,
      stateId: this.#session?.stateId ?? "",
      info: infos.find((info) => info.target === marker.incarnation),
    });
    return mark.kind === "refuse" ? mark.reason : undefined;
  }

  /** Lists a source and decides on every document as a run would. */
  async #source(
    source: PipelineSource,
    surveys: readonly SinkSurvey[],
    recipes: Recipes,
    chunks: ChunkEstimate,
  ): Promise<void> {
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
      await this.#events(source, events, surveys, recipes, seen, chunks);
    }
    this.#counts.failed += unknown.length;
    this.#counts.listed += unknown.length;
    if (!complete || this.#session === undefined) return;
    const gone = (row: DocumentRow): boolean =>
      !seen.has(row.id) && !unknown.some((prefix) => row.id.startsWith(prefix));
    const [stored] = (await this.#session.sources()).filter((row) => row.name === source.name);
    const moved = stored !== undefined && stored.identity !== source.source.identity;
    const untrusted = moved ? "identity" : undefined;
    await this.#deletions(source.name, gone, untrusted, targetsOf(surveys));
  }

  async #events(
    source: PipelineSource,
    events: readonly SourceEvent[],
    surveys: readonly SinkSurvey[],
    recipes: Recipes,
    seen: Set<string>,
    chunks: ChunkEstimate,
  ): Promise<void> {
    const documents: DocumentRef[] = [];
    for (const event of events) {
      if (event.kind === "failure" && "documentId" in event) {
        seen.add(event.documentId);
        this.#counts.listed += 1;
        this.#counts.failed += 1;
      } else if (event.kind === "document" && !seen.has(event.document.id)) {
        seen.add(event.document.id);
        documents.push(event.document);
      } else if (event.kind === "deletion") seen.delete(event.documentId);
    }
    const keys = documents.map(({ id }): DocumentKey => ({ source: source.name, id }));
    const rows = (await this.#session?.lookup(keys)) ?? [];
    for (const [index, document] of documents.entries()) {
      await this.#document(source, document, rows[index], surveys, recipes, chunks);
    }
  }

  async #document(
    source: PipelineSource,
    document: DocumentRef,
    row: DocumentRow | undefined,
    surveys: readonly SinkSurvey[],
    recipes: Recipes,
    chunks: ChunkEstimate,
  ): Promise<void> {
    const counts = this.#counts;
    counts.listed += 1;
    const recipe = recipes.of(source, document);
    const targets = surveys.map((survey): TargetVersion => {
      const base = recipe.baseFor(survey.sink.sink.shape);
      return { id: survey.marker?.incarnation ?? "", base };
    });
    const metadata = metadataHash(document, source.metadata);
    const full = this.#options.full === true;
    const decision = reconcile({ document, row, metadata, recipe: recipe.id, targets, full }).kind;
    if (decision === "unchanged" || decision === "outdated") counts.unchanged += 1;
    else if (decision === "dead") counts.failed += 1;
    else {
      const outcome = await chunks.add(source, document, row, targets, metadata);
      if (outcome === "current") counts.unchanged += 1;
      else if (outcome === "failed") counts.failed += 1;
      else if (row === undefined || row.content === "") counts.add += 1;
      else counts.update += 1;
    }
  }

  async #removedSources(targets: readonly string[]): Promise<void> {
    if (this.#session === undefined || this.#options.sources !== undefined) return;
    const former = new Set([...this.#pipeline.sources.values()].map((source) => source.previously));
    for (const { name } of await this.#session.sources()) {
      if (this.#pipeline.sources.has(name) || former.has(name)) continue;
      await this.#deletions(name, () => true, "removed", targets);
    }
  }

  async #deletions(
    source: string,
    gone: (row: DocumentRow) => boolean,
    untrusted: "identity" | "removed" | undefined,
    targets: readonly string[],
  ): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    let wanted = 0;
    let letGo = 0;
    const examples: string[] = [];
    for await (const page of session.pages({ source })) {
      for (const row of page) {
        if (!targets.some((target) => row.targets.has(target)) || !gone(row)) continue;
        if (row.gone && row.owed) {
          letGo += 1;
          continue;
        }
        wanted += 1;
        if (examples.length < 5) examples.push(`${row.source}:${row.id}`);
      }
    }
    const decision = guardDeletions({
      indexed: Math.max(0, (await guardedDocuments(session, source, targets)) - letGo),
      deletedInWindow: await session.deletionsSince(source, this.#clock.now() - guardWindowMs),
      wanted,
      maxFraction: this.#pipeline.policy.deletions.maxFraction,
      untrusted,
      userAllows: undefined,
    });
    this.#counts.delete += letGo;
    if (decision.kind === "delete") {
      this.#counts.delete += wanted;
      return;
    }
    this.#counts.withhold += wanted;
    const { allowed, reason } = decision;
    this.#withheld.push({ source, count: wanted, allowed, examples, reason });
  }

  async #reprocess(space: Space): Promise<Plan["reprocess"]> {
    if (this.#session === undefined) return undefined;
    const change = await recipeChange(
      this.#pipeline,
      this.#session,
      space.hash,
      this.#options.sources,
    );
    const { maxFraction } = this.#pipeline.policy.reprocess;
    return change.affected > maxFraction * change.indexed ? change : undefined;
  }
}

/** The collections that the state may know. */
function targetsOf(surveys: readonly SinkSurvey[]): readonly string[] {
  return surveys.flatMap(({ marker }) => (marker === undefined ? [] : [marker.incarnation]));
}

function modelRow(model: EmbeddingModel): PlannedSink["model"] {
  const { native, min, matryoshka } = model.dimensions;
  return { id: model.id, native, min, matryoshka };
}
