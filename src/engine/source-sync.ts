import type {
  Cursor,
  DocumentKey,
  DocumentRow,
  FaultLike,
  LookupEvent,
  Mutation,
  SourceEvent,
  SourceRow,
} from "../contracts/index.ts";
import { Fault, isFault } from "../faults/index.ts";
import { batches, raceAbort } from "../flow/index.ts";
import { ensureBaseline, setBaseline } from "./baseline.ts";
import { deadLetter } from "./failures.ts";
import { hasAllSinks } from "./ingest.ts";
import { idOf, Intake } from "./intake.ts";
import { settleOwed } from "./owed.ts";
import type { PipelineSource } from "./pipeline.ts";
import { reap } from "./reap.ts";
import { rememberParsers } from "./recipes.ts";
import type { Run } from "./run-parts.ts";

const batch = { size: 256, waitMs: 5 };

/** Makes every target equal to one source: reads it, settles what changed, sweeps what is gone. */
export class SourceSync {
  readonly intake: Intake;
  readonly source: PipelineSource;
  readonly #run: Run;
  #row: SourceRow;
  #listing = false;
  /** While following: the source has ended a listing, or told of a change after it. */
  #isHeard = false;
  /** What the listing has told so far. */
  #isEmpty = false;
  #saving: Promise<void> = Promise.resolve();

  constructor(run: Run, source: PipelineSource, row: SourceRow | undefined) {
    this.#run = run;
    this.source = source;
    this.#row = row ?? {
      name: source.name,
      identity: source.source.identity,
      cursor: undefined,
      generation: 0,
      swept: true,
      completeAt: undefined,
    };
    this.intake = new Intake(run, source, () => this.#row.generation);
  }

  /** Reads the source to its end, or until the run stops; then goes on with what is owed and gone. */
  async sync(): Promise<void> {
    const { context } = this.#run;
    if (context.stopping.aborted) return;
    await ensureBaseline(...this.#guarded());
    try {
      await (context.options.follow === true ? this.#follow() : this.#read());
      if (!context.stopping.aborted) await this.#settle();
    } catch (error) {
      context.lose(`sources.${this.source.name}`, error);
    }
    await this.intake.queue.settled();
    await this.#saving.catch(() => undefined);
    await rememberParsers(context, this.source, this.#run.recipes);
  }

  /** Reads again, after a while, when the source goes away and may come back. */
  async #follow(): Promise<void> {
    const { context } = this.#run;
    const { stopping, clock, random } = context;
    const { baseMs, maxMs } = context.pipeline.policy.retry;
    for (let attempt = 0; !stopping.aborted; attempt += 1) {
      this.#isHeard = false;
      try {
        return await this.#read();
      } catch (error) {
        if (!isFault(error) || error.retry !== "later") throw error;
        this.#listing = false;
        if (this.#isHeard) attempt = 0;
        const delayMs = random() * Math.min(maxMs, baseMs * 2 ** attempt);
        const component = `sources.${this.source.name}`;
        context.emit({ kind: "retrying", component, fault: error, delayMs });
        await clock.sleep(delayMs, stopping).catch(() => undefined);
      }
    }
  }

  async #read(): Promise<void> {
    const { context } = this.#run;
    const stop = context.stopping;
    const from = await this.#cursorToResume();
    const { follow = false } = context.options;
    const options = { ...(from === undefined ? {} : { from }), follow };
    const read = this.source.source.read(options, context.signal);
    try {
      for await (const events of batches(read, { ...batch, clock: context.clock }, stop)) {
        for (const group of groups(events)) {
          await this.#handle(group);
          if (context.ledger.hasTooManyPassing(this.source.name)) await this.#retryPassing();
          if (this.#limitReached()) return;
        }
        // While following, changes come one by one after the listing.
        if (follow && !this.#listing && !stop.aborted) await this.#settle();
        if (stop.aborted) return;
      }
    } catch (error) {
      if (!stop.aborted || error !== stop.reason) throw error;
    }
  }

  /** Tries again, before the source is read on, what failed for a passing reason. */
  async #retryPassing(): Promise<void> {
    await this.#retry();
    await this.#run.context.ledger.judge(this.source.name, { standing: false });
  }

  async #retry(): Promise<void> {
    await this.intake.queue.settled();
    await settleOwed(this.#run, this.source, this.intake);
    await this.intake.queue.settled();
  }

  async #settle(): Promise<void> {
    const { ledger, stopping, options } = this.#run.context;
    await this.#retry();
    // A trial tells only of what it took up.
    await ledger.judge(this.source.name, { standing: options.limit === undefined });
    if (stopping.aborted) return;
    ledger.forgetUndeleted(this.source.name);
    const withheld = await reap(this.#run, {
      name: this.source.name,
      untrusted: this.#row.identity === this.source.source.identity ? undefined : "identity",
      // A mark of an earlier listing proves nothing until this one is over: the document may be back.
      isVouched: (row) => this.#row.swept || row.seen === this.#row.generation,
      queue: this.intake.queue,
    });
    if (withheld || !this.#row.swept) return;
    await this.#save({ identity: this.source.source.identity });
    if (hasAllSinks(this.#run)) await setBaseline(...this.#guarded());
  }

  /** What the guard's baseline is about. */
  #guarded(): Parameters<typeof setBaseline> {
    const { context, targets } = this.#run;
    return [context.session, this.source.name, targets.map(({ id }) => id)];
  }

  /** A cursor only helps when every target was there when it was saved. */
  async #cursorToResume(): Promise<Cursor | undefined> {
    const { context, targets } = this.#run;
    const covered = (await context.session.value(coveredKey(this.source.name))) ?? [];
    const all = Array.isArray(covered) && targets.every(({ id }) => covered.includes(id));
    const moved = this.#row.identity !== this.source.source.identity;
    if (!all || moved || context.options.full === true) return undefined;
    return (await this.#hasUnknownPrefix()) ? undefined : this.#row.cursor;
  }

  /** What lies under a prefix that could not be listed is not behind any cursor. */
  async #hasUnknownPrefix(): Promise<boolean> {
    const { session } = this.#run.context;
    for await (const page of session.pages({ source: this.source.name, failed: true })) {
      if (page.some((row) => row.failure?.prefix === true)) return true;
    }
    return false;
  }

  async #handle(group: readonly SourceEvent[]): Promise<void> {
    const [first] = group;
    if (first === undefined) return;
    switch (first.kind) {
      case "listing":
        return this.#startListing(first.resumed);
      case "checkpoint":
        return this.#checkpoint(first.cursor);
      case "end":
        return this.#endListing(first.listing);
      default:
        if (this.#row.generation === 0) throw this.#protocol("an event before the first `listing`");
        this.#isEmpty = false;
        if (!this.#listing) this.#isHeard = true;
        if (first.kind === "failure" && "prefix" in first) {
          return this.#unknownPrefix(first.prefix, first.fault);
        }
        return this.intake.offer(this.#withinLimit(group as readonly LookupEvent[]));
    }
  }

  async #startListing(resumed: boolean): Promise<void> {
    const { context } = this.#run;
    if (this.#listing) throw this.#protocol("a `listing` inside a listing");
    if (resumed && this.#row.cursor === undefined) {
      throw this.#protocol("a resumed listing without a cursor to resume from");
    }
    this.#listing = true;
    this.#isEmpty = !resumed;
    if (!resumed) {
      await this.intake.queue.settled();
      await this.#saving;
      // Without its cursor, an older generation can never be taken for this one.
      const generation = this.#row.generation + 1;
      await this.#save({ generation, cursor: undefined, swept: false });
    }
    context.emit({ kind: "listing-started", source: this.source.name, resumed });
  }

  /** Saves the cursor once everything before it is settled or durably owed; does not hold up the stream. */
  async #checkpoint(cursor: Cursor): Promise<void> {
    const before = Promise.all([this.#saving, this.intake.queue.settled()]);
    const { context, targets } = this.#run;
    this.#saving = before.then(async () => {
      if (this.intake.gap || context.signal.aborted) return;
      const covered = targets.map(({ id }) => id);
      this.#row = { ...this.#row, cursor };
      await context.session.commit([
        { kind: "value", key: coveredKey(this.source.name), value: covered },
        { kind: "source", row: this.#row },
      ]);
      const acknowledged = this.source.source.acknowledge?.(cursor, context.signal);
      if (acknowledged !== undefined) await raceAbort(acknowledged, context.signal);
    });
    this.#saving.catch((error: unknown) => {
      this.intake.gap = true;
      context.fail(`sources.${this.source.name}`, error);
    });
  }

  async #endListing(listing: "complete" | "partial"): Promise<void> {
    const { context } = this.#run;
    if (!this.#listing) throw this.#protocol("an `end` outside a listing");
    this.#listing = false;
    this.#isHeard = true;
    context.emit({ kind: "listing-ended", source: this.source.name, listing });
    await this.intake.queue.settled();
    if (this.intake.gap || context.stopping.aborted) return;
    if (listing === "complete") await this.#sweep();
    if (listing === "complete" && this.#isEmpty) await this.#tellEmpty();
  }

  /** A source in which nothing was ever found is more likely a slip of the pen than empty. */
  async #tellEmpty(): Promise<void> {
    const { context } = this.#run;
    const { name, source } = this.source;
    if ((await context.session.count({ source: name })) > 0) return;
    const { whenEmpty } = source;
    context.emit({
      kind: "source-empty",
      source: name,
      ...(whenEmpty === undefined ? {} : { whenEmpty }),
    });
  }

  /** Marks as gone what this generation did not see; the guard decides whether it is deleted. */
  async #sweep(): Promise<void> {
    const { session, clock, ledger } = this.#run.context;
    const seenBefore = this.#row.generation;
    for await (const page of session.pages({ source: this.source.name, seenBefore, gone: false })) {
      const struck = page.map((row) => ledger.strike(keyOf(row), row));
      const mutations = page.map((row, index): Mutation => {
        const key = keyOf(row);
        // Of what no target ever held, nothing is left to be deleted.
        if (row.targets.size === 0) return { kind: "forget", key };
        const set = { gone: true, owed: false, ...struck[index]?.set };
        return { kind: "document", key, set };
      });
      await session.commit(mutations, { durable: false });
      for (const { enter } of struck) enter();
    }
    await this.#save({ swept: true, completeAt: clock.now() });
  }

  /** What lies under an unreadable prefix counts as seen: its absence, then or now, proves nothing. */
  async #unknownPrefix(prefix: string, fault: FaultLike): Promise<void> {
    const { context } = this.#run;
    const { session, ledger } = context;
    const key = { source: this.source.name, id: prefix };
    if (this.intake.queue.has(prefix)) await this.intake.queue.settled();
    const seen = this.#row.generation;
    for await (const page of session.pages({ source: this.source.name, seenBefore: seen })) {
      const below = page.filter((row) => row.id.startsWith(prefix));
      const mutations = below.map((row): Mutation => {
        return {
          kind: "document",
          key: keyOf(row),
          set: { seen, gone: false, owed: row.owed || row.gone },
        };
      });
      if (mutations.length > 0) await session.commit(mutations, { durable: false });
    }
    const [row] = await session.lookup([key]);
    const what = { stage: "list", revision: "", recipe: "" } as const;
    const letter = deadLetter(context, { row, fault, ...what });
    const failure = { ...letter.failure, prefix: true } as const;
    const entry = ledger.entry(key, row, "failed", { failure });
    // The next listing tries again; there is nothing to be looked up.
    const set = { failure, owed: false, gone: false, seen, ...entry.set };
    await session.commit([{ kind: "document", key, set }], { durable: false });
    entry.enter();
    ledger.stopOnTooMany();
  }

  /** Takes them out of the limit before anything is waited for, since all sources share it. */
  #withinLimit(events: readonly LookupEvent[]): readonly LookupEvent[] {
    const { tally, options } = this.#run.context;
    const { limit = Infinity } = options;
    return events.filter(({ kind }) => {
      if (tally.taken >= limit) return false;
      if (kind !== "deletion") tally.taken += 1;
      return true;
    });
  }

  #limitReached(): boolean {
    const { tally, options } = this.#run.context;
    if (options.limit === undefined || tally.taken < options.limit) return false;
    this.intake.gap = true;
    return true;
  }

  async #save(change: Partial<SourceRow>): Promise<void> {
    this.#row = { ...this.#row, ...change };
    await this.#run.context.session.commit([{ kind: "source", row: this.#row }]);
  }

  #protocol(what: string): Fault {
    return new Fault(
      "source.protocol",
      `The source \`${this.source.name}\` sent ${what}. This is a defect of the source; nothing was deleted.`,
    );
  }
}

/** Splits a batch into runs of events about different documents, and single events of the other kinds. */
function* groups(events: readonly SourceEvent[]): Generator<readonly SourceEvent[]> {
  let group: SourceEvent[] = [];
  let ids = new Set<string>();
  const take = (): readonly SourceEvent[] => {
    const taken = group;
    group = [];
    ids = new Set();
    return taken;
  };
  for (const event of events) {
    const single =
      event.kind === "listing" ||
      event.kind === "checkpoint" ||
      event.kind === "end" ||
      (event.kind === "failure" && "prefix" in event);
    const id = single ? "" : idOf(event as LookupEvent);
    if ((single || ids.has(id)) && group.length > 0) yield take();
    if (single) yield [event];
    else {
      group.push(event);
      ids.add(id);
    }
  }
  if (group.length > 0) yield take();
}

export function keyOf(row: DocumentRow): DocumentKey {
  return { source: row.source, id: row.id };
}

function coveredKey(source: string): string {
  return `covered:${source}`;
}
