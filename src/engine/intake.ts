import type {
  DocumentKey,
  DocumentRef,
  DocumentRow,
  FaultLike,
  LookupEvent,
  Mutation,
} from "../contracts/index.ts";
import { DocumentQueue } from "./document-queue.ts";
import { deadLetter } from "./failures.ts";
import { decide, hasAllSinks, ingest, waitForHorizon, workOf } from "./ingest.ts";
import type { Entry, Ledger } from "./ledger.ts";
import type { PipelineSource } from "./pipeline.ts";
import { isOutdated } from "./reconcile.ts";
import type { Run } from "./run-parts.ts";

type DocumentSet = Extract<Mutation, { kind: "document" }>["set"];

/** What one offer gathers: changes of the state, and what is done once they are committed. */
interface Batch {
  readonly mutations: Mutation[];
  readonly after: (() => void)[];
  unchanged: number;
}

/** Takes up events about documents of one source: decides at once where the state suffices, queues the rest. */
export class Intake {
  readonly queue: DocumentQueue;
  readonly #run: Run;
  readonly #ledger: Ledger;
  readonly #source: PipelineSource;
  readonly #generation: () => number;
  /** A document was left undone: no later cursor may be saved. */
  gap = false;

  constructor(run: Run, source: PipelineSource, generation: () => number) {
    this.#run = run;
    this.#ledger = run.context.ledger;
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
    const batch: Batch = { mutations: [], after: [], unchanged: 0 };
    for (const [index, event] of events.entries()) {
      const row = rows[index];
      const fresh = busy[index] === false;
      if (event.kind === "document") this.#document(event.document, row, fresh, batch);
      else if (event.kind === "deletion") this.#deletion(event, row, fresh, batch);
      else this.#failure(event, row, fresh, batch);
    }
    if (batch.mutations.length > 0) {
      await context.session.commit(batch.mutations, { durable: false });
    }
    this.#unchanged(batch.unchanged);
    for (const step of batch.after) step();
    this.#ledger.stopOnTooMany();
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
    const counted = this.#ledger.outcomeOf(row);
    if (row !== undefined && isOutdated(document.order, row)) {
      // It says nothing new, but whatever is listed has not vanished.
      const seen = row.gone ? {} : { seen: this.#generation() };
      if (counted === undefined) this.#stillAsItWas(key, row, seen, batch);
      else batch.mutations.push({ kind: "document", key, set: seen });
      return;
    }
    const order = document.order === undefined ? {} : { order: String(document.order) };
    const seen = { seen: this.#generation(), gone: false, ...order };
    if (fresh) {
      const decision = decide(run, workOf(run, this.#source, document, row));
      if (decision === "dead" && row?.failure !== undefined) {
        const { failure } = row;
        return this.#put(key, seen, this.#ledger.entry(key, row, "failed", { failure }), batch);
      }
      if (decision === "unchanged") {
        const isOpen = row?.owed === true || row?.gone === true;
        const owed = isOpen ? { owed: !hasAllSinks(run) } : {};
        return this.#stillAsItWas(key, row, { ...seen, ...owed }, batch);
      }
    }
    // Of a document at work the row is not the last word: whether it came back is decided when it is at work itself.
    const { gone: _, ...stillSeen } = seen;
    const back = row?.gone === true ? cameBack : {};
    const set = fresh ? { ...seen, ...back } : stillSeen;
    this.#put(key, set, this.#ledger.entry(key, row, "listed"), batch);
    batch.after.push(() => this.queue.add(document.id, () => this.#work(document)));
  }

  async #work(document: DocumentRef): Promise<void> {
    const run = this.#run;
    const { context } = run;
    if (context.stopping.aborted) {
      this.gap = true;
      return;
    }
    const key = this.#key(document.id);
    const [known] = await context.session.lookup([key]);
    // An event of its deletion was at work when this one came, and has struck it from the count.
    const listed = this.#ledger.entry(key, known, "listed");
    if (known?.gone === true) await this.#enter(key, listed, cameBack);
    const row = known && {
      ...known,
      gone: false,
      owed: known.owed || known.gone,
      counted: known.gone ? (listed.set.counted ?? known.counted) : known.counted,
    };
    const work = workOf(run, this.#source, document, row);
    const decision = decide(run, work);
    if (decision === "dead" && row?.failure !== undefined) {
      const { failure } = row;
      return this.#enter(key, this.#ledger.entry(key, row, "failed", { failure }));
    }
    if (decision === "unchanged" || decision === "outdated") {
      const isOpen = this.#ledger.outcomeOf(row) === "listed";
      await this.#enter(key, this.#ledger.entry(key, row, "unchanged"));
      return this.#unchanged(isOpen ? 1 : 0);
    }
    if (waitForHorizon(run, key, row) > 0) {
      // It is begun, and so owed: it is looked up again when it may be written.
      const failure = row?.failure;
      return this.#enter(key, this.#ledger.entry(key, row, "passing", { failure }), { owed: true });
    }
    await ingest(run, work);
    this.#ledger.stopOnTooMany();
  }

  #deletion(
    event: { readonly documentId: string; readonly order?: bigint },
    row: DocumentRow | undefined,
    fresh: boolean,
    batch: Batch,
  ): void {
    const key = this.#key(event.documentId);
    if (row === undefined || isOutdated(event.order, row)) return;
    const order = event.order === undefined ? {} : { order: String(event.order) };
    const seen = this.#generation();
    // A document that the guard let go already stays owed.
    const gone = (known: DocumentRow): DocumentSet => {
      const withheld = known.gone ? {} : { owed: false };
      return { gone: true, ...withheld, seen, ...order };
    };
    if (fresh) return this.#put(key, gone(row), this.#ledger.strike(key, row), batch);
    if (event.order !== undefined) batch.mutations.push({ kind: "document", key, set: order });
    // Marked after the task at work, which would take the mark away.
    const mark = async (): Promise<void> => {
      const [now] = await this.#run.context.session.lookup([key]);
      if (now === undefined || isOutdated(event.order, now)) return;
      await this.#enter(key, this.#ledger.strike(key, now), gone(now));
    };
    batch.after.push(() => this.queue.add(event.documentId, mark));
  }

  /** The document exists, but the source cannot describe it: it stays as it is. */
  #failure(
    { documentId, fault }: { readonly documentId: string; readonly fault: FaultLike },
    row: DocumentRow | undefined,
    fresh: boolean,
    batch: Batch,
  ): void {
    const key = this.#key(documentId);
    const failed = (known: DocumentRow | undefined): [DocumentSet, Entry] => {
      const what = { stage: "list", revision: "", recipe: "" } as const;
      const letter = deadLetter(this.#run.context, { row: known, fault, ...what });
      const outcome = letter.failure.retry === "later" ? "passing" : "failed";
      const seen = { seen: this.#generation(), gone: false };
      return [{ ...letter, ...seen }, this.#ledger.entry(key, known, outcome, letter)];
    };
    if (fresh) return this.#put(key, ...failed(row), batch);
    this.#put(key, {}, this.#ledger.entry(key, row, "listed"), batch);
    const fail = async (): Promise<void> => {
      const [now] = await this.#run.context.session.lookup([key]);
      const [set, entry] = failed(now);
      await this.#enter(key, entry, set);
    };
    batch.after.push(() => this.queue.add(documentId, fail));
  }

  /** Nothing is to be done about the document. */
  #stillAsItWas(
    key: DocumentKey,
    row: DocumentRow | undefined,
    set: DocumentSet,
    batch: Batch,
  ): void {
    const counted = this.#ledger.outcomeOf(row);
    this.#put(key, set, this.#ledger.entry(key, row, "unchanged"), batch);
    if (counted === undefined) batch.unchanged += 1;
  }

  #put(key: DocumentKey, set: DocumentSet, entry: Entry, batch: Batch): void {
    batch.mutations.push({ kind: "document", key, set: { ...set, ...entry.set } });
    batch.after.push(entry.enter);
  }

  async #enter(key: DocumentKey, entry: Entry, set: DocumentSet = {}): Promise<void> {
    const mutation = { kind: "document", key, set: { ...set, ...entry.set } } as const;
    await this.#run.context.session.commit([mutation], { durable: false });
    entry.enter();
  }

  /** Tells of documents that this run had not counted before. */
  #unchanged(count: number): void {
    if (count === 0) return;
    this.#run.context.emit({ kind: "documents-unchanged", source: this.#source.name, count });
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
