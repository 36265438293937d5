import type {
  DocumentKey,
  DocumentRef,
  DocumentRow,
  FaultLike,
  LookupEvent,
  Mutation,
} from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import { DocumentQueue } from "./document-queue.ts";
import { deadLetter, summaryOf } from "./failures.ts";
import { decide, deferredFault, hasAllSinks, ingest, waitForHorizon, workOf } from "./ingest.ts";
import type { PipelineSource } from "./pipeline.ts";
import { isOutdated } from "./reconcile.ts";
import type { Run } from "./run-parts.ts";

/** What one offer gathers: changes of the state, committed first, then tasks to start. */
interface Batch {
  readonly mutations: Mutation[];
  readonly start: (() => void)[];
  unchanged: number;
}

/** Takes up events about documents of one source: decides at once where the state suffices, queues the rest. */
export class Intake {
  readonly queue: DocumentQueue;
  readonly #run: Run;
  readonly #source: PipelineSource;
  readonly #generation: () => number;
  /** A document was left undone: no later cursor may be saved. */
  gap = false;

  constructor(run: Run, source: PipelineSource, generation: () => number) {
    this.#run = run;
    this.#source = source;
    this.#generation = generation;
    this.queue = new DocumentQueue(run.context.pipeline.policy.limits.documents, (error) => {
      this.gap = true;
      run.context.fail(`sources.${source.name}`, error);
    });
  }

  /** Takes up events with different ids. Resolves when there is room for more. */
  async offer(events: readonly LookupEvent[]): Promise<void> {
    const { context } = this.#run;
    const keys = events.map((event) => this.#key(idOf(event)));
    const busy = keys.map((key) => this.queue.has(key.id));
    const rows = await context.session.lookup(keys);
    const batch: Batch = { mutations: [], start: [], unchanged: 0 };
    for (const [index, event] of events.entries()) {
      const row = rows[index];
      const fresh = busy[index] === false;
      if (event.kind === "document") this.#document(event.document, row, fresh, batch);
      else if (event.kind === "deletion") this.#deletion(event, row, fresh, batch);
      else this.#failure(event.documentId, event.fault, row, batch);
    }
    if (batch.mutations.length > 0) {
      await context.session.commit(batch.mutations, { durable: false });
    }
    this.#unchanged(batch.unchanged);
    for (const start of batch.start) start();
    this.#stopOnTooManyFailures();
    await this.queue.room();
  }

  #document(
    document: DocumentRef,
    row: DocumentRow | undefined,
    fresh: boolean,
    batch: Batch,
  ): void {
    const run = this.#run;
    const key = this.#key(document.id);
    if (!run.pending.take(nameOf(key))) run.context.tally.listed += 1;
    if (row !== undefined && isOutdated(document.order, row)) {
      // It says nothing new, but whatever is listed has not vanished.
      const seen = { seen: this.#generation() };
      if (!row.gone) batch.mutations.push({ kind: "document", key, set: seen });
      batch.unchanged += 1;
      return;
    }
    const order = document.order === undefined ? {} : { order: String(document.order) };
    const seen = { seen: this.#generation(), gone: false, ...order };
    batch.mutations.push({ kind: "document", key, set: seen });
    if (fresh) {
      const decision = decide(run, workOf(run, this.#source, document, row));
      if (decision === "dead") return this.#stillDead(key, row);
      if (decision === "unchanged") {
        const owed = !hasAllSinks(run);
        if (row?.owed === true || row?.gone === true)
          batch.mutations.push({ kind: "document", key, set: { owed } });
        batch.unchanged += 1;
        return;
      }
    }
    if (row?.gone === true) batch.mutations.push({ kind: "document", key, set: cameBack });
    batch.start.push(() => this.#enqueue(document.id, true, () => this.#work(document)));
  }

  async #work(document: DocumentRef): Promise<void> {
    const run = this.#run;
    const { context } = run;
    if (context.stopping.aborted) {
      this.gap = true;
      // Put back: for this run it was never listed.
      context.tally.listed -= 1;
      return;
    }
    const key = this.#key(document.id);
    // An earlier event about it failed while this one waited; this one takes its place.
    if (run.pending.take(nameOf(key))) this.#unchanged(1);
    const [known] = await context.session.lookup([key]);
    // An event of its deletion was at work when this one came.
    if (known?.gone === true) {
      await context.session.commit([{ kind: "document", key, set: cameBack }], { durable: false });
    }
    const row = known && { ...known, gone: false, owed: known.owed || known.gone };
    const work = workOf(run, this.#source, document, row);
    const decision = decide(run, work);
    if (decision === "dead") return this.#stillDead(key, row);
    if (decision === "unchanged" || decision === "outdated") return this.#unchanged(1);
    if (waitForHorizon(run, key, row) > 0) {
      // It is owed, for it is begun; it is looked up again when it may be written.
      run.pending.add(summaryOf(key, deferredFault(key), "write"));
      return;
    }
    try {
      await ingest(run, work);
    } catch (error) {
      context.tally.listed -= 1;
      throw error;
    }
    this.#stopOnTooManyFailures();
  }

  #deletion(
    event: { readonly documentId: string; readonly order?: bigint },
    row: DocumentRow | undefined,
    fresh: boolean,
    batch: Batch,
  ): void {
    const key = this.#key(event.documentId);
    this.#notPending(key);
    const order = event.order === undefined ? {} : { order: String(event.order) };
    const seen = this.#generation();
    // A document that the guard let go already stays owed.
    const gone = (known: DocumentRow): Mutation => {
      const withheld = known.gone ? {} : { owed: false };
      return { kind: "document", key, set: { gone: true, ...withheld, seen, ...order } };
    };
    if (fresh) {
      if (row !== undefined && !isOutdated(event.order, row)) batch.mutations.push(gone(row));
      return;
    }
    if (row === undefined || isOutdated(event.order, row)) return;
    if (event.order !== undefined) batch.mutations.push({ kind: "document", key, set: order });
    // Marked after the task at work, which would take the mark away.
    const mark = async (): Promise<void> => {
      const { session } = this.#run.context;
      this.#notPending(key);
      const [now] = await session.lookup([key]);
      if (now !== undefined && !isOutdated(event.order, now)) await session.commit([gone(now)]);
    };
    batch.start.push(() => this.#enqueue(event.documentId, false, mark));
  }

  /** A document that was to be tried again is gone instead. */
  #notPending(key: DocumentKey): void {
    if (this.#run.pending.take(nameOf(key))) this.#run.context.tally.listed -= 1;
  }

  /** The document exists, but the source cannot describe it: it stays as it is. */
  #failure(id: string, fault: FaultLike, row: DocumentRow | undefined, batch: Batch): void {
    const { context, pending } = this.#run;
    const key = this.#key(id);
    if (!pending.take(nameOf(key))) context.tally.listed += 1;
    const now = context.clock.now();
    const session = context.session.fence;
    const what = { stage: "list", revision: "", recipe: "" } as const;
    const letter = deadLetter({ key, row, fault, ...what, now, session });
    const seen = { seen: this.#generation(), gone: false };
    batch.mutations.push({ ...letter, set: { ...letter.set, ...seen } });
    const open = letter.set.failure?.accepted !== true;
    pending.count(summaryOf(key, fault, "list"), { known: row?.failure !== undefined, open });
  }

  #enqueue(id: string, listed: boolean, run: () => Promise<void>): void {
    const { replacedListed } = this.queue.add(id, { run, listed });
    // The event that was replaced told nothing that this one does not.
    if (replacedListed) this.#unchanged(1);
  }

  #stillDead(key: DocumentKey, row: DocumentRow | undefined): void {
    const failure = row?.failure;
    if (failure === undefined) return;
    const summary = summaryOf(key, failure, failure.stage);
    this.#run.pending.count(summary, { known: true, open: !failure.accepted });
  }

  #unchanged(count: number): void {
    if (count === 0) return;
    this.#run.context.emit({ kind: "documents-unchanged", source: this.#source.name, count });
  }

  #stopOnTooManyFailures(): void {
    const { context } = this.#run;
    const { maxDocuments } = context.pipeline.policy.failures;
    const limit = Math.max(maxDocuments, Math.ceil(context.tally.listed / 100));
    const failed = context.tally.newFailures;
    if (failed <= limit || context.fatal !== undefined) return;
    const message =
      `${failed} documents failed that did not fail before; more than \`failures.max_documents\` ` +
      `(${maxDocuments}, or 1 %) stop the run. Look at \`sluice failures list\`, mend the cause, and run again.`;
    context.fail("failures", new Fault("refused.failures", message));
  }

  #key(id: string): DocumentKey {
    return { source: this.#source.name, id };
  }
}

/** What a document owed before it was gone is no longer known: it is looked at again. */
const cameBack = { gone: false, owed: true } as const;

export function idOf(event: LookupEvent): string {
  return event.kind === "document" ? event.document.id : event.documentId;
}

function nameOf(key: DocumentKey): string {
  return `${key.source}:${key.id}`;
}
