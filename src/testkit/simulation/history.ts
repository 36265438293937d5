import { memoryCache } from "../../cache/index.ts";
import type { EmbeddingCache } from "../../contracts/index.ts";
import { defaultPolicy, type Pipeline, type Policy } from "../../engine/pipeline.ts";
import { run, type RunResult } from "../../engine/run.ts";
import { memoryStateStore, type MemoryStateStore } from "../../state/index.ts";
import { deletionViolation, indexViolations } from "./oracle.ts";
import { type FaultRates, noFaults, SimulatedProcess } from "./process.ts";
import { Random } from "./random.ts";
import { simulatedSink, type SimulatedStore, writeHorizonMs } from "./simulated-sink.ts";
import { simulatedSource, type SourceHabits } from "./simulated-source.ts";
import { blockChunker, lineParser, simulatedEmbedder, simulatedState } from "./simulated-stages.ts";
import { processClock } from "./timeline.ts";
import { World } from "./world.ts";

export interface HistoryResult {
  readonly seed: number;
  /** What went wrong, in words; empty when nothing did. */
  readonly violations: readonly string[];
  readonly runs: number;
  readonly crashes: number;
}

const policy: Policy = {
  ...defaultPolicy,
  failures: { maxDocuments: 1000 },
  limits: { ...defaultPolicy.limits, documents: 3, tokensInFlight: 8 },
  retry: { attempts: 3, baseMs: 4, maxMs: 16, totalMs: 1000 },
};

/** One life of a pipeline: documents change, processes run and die, stores lose and delay; then all must be exact. */
export async function history(
  seed: number,
  trace: (line: string) => void = () => undefined,
): Promise<HistoryResult> {
  const life = new Life(seed, trace);
  await life.live();
  return life.result;
}

class Life {
  readonly #seed: number;
  readonly #trace: (line: string) => void;
  readonly #random: Random;
  readonly #world: World;
  readonly #habits: SourceHabits;
  readonly #state: MemoryStateStore = memoryStateStore();
  readonly #stores: SimulatedStore[];
  #cache: EmbeddingCache = memoryCache();
  readonly #violations: string[] = [];
  /** Documents that were there all the time since the current run began. */
  #lasting = new Set<string>();
  #runs = 0;
  #crashes = 0;

  constructor(seed: number, trace: (line: string) => void) {
    this.#seed = seed;
    this.#trace = trace;
    const random = new Random(seed);
    this.#random = random;
    this.#world = new World(random, { poison: random.chance(0.3) });
    this.#world.onRemove = (id) => this.#lasting.delete(id);
    this.#habits = {
      resumes: random.chance(0.6),
      changesMeanwhile: random.chance(0.5),
      fails: random.chance(0.6),
      ordered: random.chance(0.3),
    };
    this.#stores = ["wide", "narrow"].map((name) => ({
      name,
      collection: undefined,
      onDelete: (record, collection) => {
        const violation = deletionViolation(record, collection, this.#world, this.#lasting);
        if (violation !== undefined) this.#violations.push(`${name}: ${violation}`);
      },
    }));
  }

  get result(): HistoryResult {
    const violations = this.#violations;
    return { seed: this.#seed, violations, runs: this.#runs, crashes: this.#crashes };
  }

  async live(): Promise<void> {
    const steps = 2 + this.#random.below(4);
    for (let step = 0; step < steps && this.#violations.length === 0; step += 1) {
      const edits = 1 + this.#random.below(4);
      for (let edit = 0; edit < edits; edit += 1) this.#world.mutate();
      if (this.#random.chance(0.08)) this.#random.pick(this.#stores).collection = undefined;
      if (this.#random.chance(0.1)) this.#cache = memoryCache();
      await this.#run(this.#rates(), this.#habits, this.#random.chance(0.3) ? undefined : Infinity);
      if (this.#random.chance(0.3)) this.#world.timeline.pass(this.#random.below(150));
    }
    const calm = { ...this.#habits, fails: false, changesMeanwhile: false };
    const last = await this.#run(noFaults, calm, Infinity);
    if (last === undefined) return;
    // Nothing may change any more when late writes have landed.
    this.#world.timeline.pass(writeHorizonMs * 2);
    this.#check(last, "after late writes", { exact: true });
    if (last.exitCode !== 0 && last.exitCode !== 3) {
      this.#violations.push(`a run without faults ended ${last.exitCode} ${last.summary.status}`);
    }
  }

  #rates(): FaultRates {
    const level = this.#random.pick([0, 0.01, 0.03, 0.1]);
    const rate = (share: number): number => level * share * this.#random.next();
    return {
      crash: this.#random.chance(0.6) ? rate(0.6) : 0,
      error: rate(1),
      lostAnswer: rate(1),
      late: this.#random.chance(0.4) ? rate(4) : 0,
      partial: rate(2),
    };
  }

  /** One process: undefined when it died or went wrong. */
  async #run(
    rates: FaultRates,
    habits: SourceHabits,
    allowDeletions: number | undefined,
  ): Promise<RunResult | undefined> {
    this.#runs += 1;
    const told = { rates, habits, allowDeletions, documents: [...this.#world.documents] };
    this.#trace(`run ${this.#runs} ${JSON.stringify(told)}`);
    const { timeline } = this.#world;
    const process = new SimulatedProcess(timeline, this.#random, rates);
    this.#lasting = new Set(this.#world.documents.keys());
    let result: RunResult | undefined;
    let bug: unknown;
    let whole = false;
    const running = run(this.#pipeline(process, habits), {
      ...(allowDeletions === undefined ? {} : { allowDeletions }),
      clock: processClock(timeline, {
        wallOffset: this.#random.below(5) * 86_400_000,
        isDead: () => process.dead,
      }),
      random: () => this.#random.next(),
      observe: (event) => {
        this.#trace(`${timeline.time} ${JSON.stringify(event)}`);
        if (event.kind === "listing-ended") whole = event.listing === "complete";
      },
    }).then(
      (value) => {
        result = value;
      },
      (error: unknown) => {
        bug = error;
      },
    );
    while (result === undefined && bug === undefined && !process.dead) {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      if (result !== undefined || bug !== undefined || process.dead) break;
      if (timeline.advance()) continue;
      this.#violations.push("the run waits for something that never comes");
      return undefined;
    }
    if (process.dead) {
      this.#crashes += 1;
      this.#state.crash({ losePower: this.#random.chance(0.3) });
      return undefined;
    }
    await running;
    if (bug !== undefined) {
      this.#violations.push(`a bug: ${bug instanceof Error ? bug.stack : String(bug)}`);
      return undefined;
    }
    if (result !== undefined) {
      this.#check(result, "after a run", { exact: whole && !habits.changesMeanwhile });
    }
    return result;
  }

  /** After a run that claims success and was told of everything, the index is exact. */
  #check(result: RunResult, when: string, { exact }: { readonly exact: boolean }): void {
    const { status, documents, failures } = result.summary;
    if (status !== "succeeded" && status !== "partial") return;
    const sum = documents.added + documents.updated + documents.unchanged + documents.failed;
    if (sum !== documents.listed) {
      this.#violations.push(`${when}: counts do not add up: ${JSON.stringify(documents)}`);
    }
    if (!exact) return;
    const excused = new Set(failures.map((failure) => failure.document));
    // A folder that could not be read excuses what lies in it.
    if (excused.has("world:d/")) excused.add("world:d/1").add("world:d/2");
    for (const store of this.#stores) {
      for (const violation of indexViolations(this.#world, store, excused)) {
        this.#violations.push(`${when}, ${store.name}: ${violation}`);
      }
    }
  }

  #pipeline(process: SimulatedProcess, habits: SourceHabits): Pipeline {
    const source = simulatedSource(this.#world, process, habits);
    const dimensions = ["auto", 4] as const;
    return {
      name: "simulated",
      sources: new Map([
        [
          "world",
          {
            name: "world",
            source,
            metadata: {},
            parsers: [{ type: "lines", parser: lineParser, recipe: "" }],
            chunker: blockChunker,
            chunkerRecipe: "",
          },
        ],
      ]),
      embedder: simulatedEmbedder(process),
      sinks: new Map(
        this.#stores.map((store, index) => [
          store.name,
          {
            name: store.name,
            sink: simulatedSink(store, process),
            dimension: dimensions[index] ?? "auto",
          },
        ]),
      ),
      state: simulatedState(this.#state, process),
      cache: this.#cache,
      fields: {},
      policy,
    };
  }
}
