import type { Clock, Embedder, Embeddings, PlaceMeasures } from "../contracts/index.ts";
import { assert, isFault } from "../faults/index.ts";
import { Latencies } from "../flow/latencies.ts";
import type { RunEvent } from "./events.ts";
import type {
  CacheMeasures,
  EmbeddingMeasures,
  GpuMeasures,
  LoopMeasures,
  RunMeasures,
} from "./measures.ts";

/** What measures the process and its machine; who makes a meter may give it such. */
export interface RunMeterOptions {
  readonly loop?: { read(): LoopMeasures };
  readonly gpus?: { read(): readonly GpuMeasures[] };
}

/** What a run shows its meter. */
export interface Metered {
  readonly embedder: Pick<Embedder, "measures">;
  readonly clock: Clock;
  readonly hasCache: boolean;
  /** Texts that wait for a call, and their tokens. */
  readonly waiting: () => EmbeddingMeasures["waiting"];
  /** Tokens between chunker and vectors, and how many there may be. */
  readonly tokensHeld: () => number;
  readonly tokensAllowed: number;
}

/**
 * Measures one run: hand it to `run`, and read it whenever you like while the run works, or after. Reading is cheap, and
 * changes nothing.
 */
export class RunMeter {
  readonly #options: RunMeterOptions;
  readonly #latencies = new Latencies();
  readonly #errors = new Map<string, number>();
  #run: Metered | undefined;
  /** What the places had done before the run, its probe included. */
  #before: ReadonlyMap<string, PlaceMeasures> = new Map();
  #texts = 0;
  #tokens = 0;
  #retries = 0;
  #hits = 0;
  #misses = 0;
  #mostWaiting = { texts: 0, tokens: 0 };
  #inFlight = { calls: 0, texts: 0, tokens: 0 };
  #busyMs = 0;
  #busySince = 0;

  constructor(options: RunMeterOptions = {}) {
    this.#options = options;
  }

  /** Called by the run when its embedder has passed the probe. */
  begin(run: Metered): void {
    assert(this.#run === undefined, "A meter measures one run.");
    this.#run = run;
    const places = run.embedder.measures?.() ?? [];
    this.#before = new Map(places.map((place) => [place.place, place]));
  }

  observe(event: RunEvent): void {
    if (event.kind === "chunks-embedded") {
      this.#texts += event.count;
      this.#tokens += event.tokens;
      this.#latencies.record(event.milliseconds);
    } else if (event.kind === "retrying" && event.component === "embedder") {
      this.#retries += 1;
    }
  }

  /** Counts what was looked for in the cache. */
  looked(found: { readonly hits: number; readonly misses: number }): void {
    this.#hits += found.hits;
    this.#misses += found.misses;
  }

  /** Makes one call of the embedder, and tells how long it took. Rejects as the call does. */
  async time(
    batch: { readonly texts: number; readonly tokens: number },
    call: () => Promise<Embeddings>,
  ): Promise<{ readonly result: Embeddings; readonly milliseconds: number }> {
    const run = this.#run;
    assert(run !== undefined, "A call is measured before the run has begun.");
    const { clock } = run;
    const started = clock.monotonic();
    this.#queued(run.waiting());
    if (this.#inFlight.calls === 0) this.#busySince = started;
    this.#count(batch, 1);
    try {
      const result = await call();
      return { result, milliseconds: clock.monotonic() - started };
    } catch (error) {
      this.#failed(error);
      throw error;
    } finally {
      this.#count(batch, -1);
      if (this.#inFlight.calls === 0) this.#busyMs += clock.monotonic() - this.#busySince;
    }
  }

  read(): RunMeasures {
    const { loop, gpus } = this.#options;
    return {
      embedding: this.#embedding(),
      cache: this.#cache(),
      loop: loop?.read(),
      gpus: gpus?.read() ?? [],
    };
  }

  #embedding(): EmbeddingMeasures {
    const run = this.#run;
    const { calls } = this.#inFlight;
    const now = run?.clock.monotonic() ?? 0;
    return {
      texts: this.#texts,
      tokens: this.#tokens,
      calls: this.#latencies.count,
      busyMs: this.#busyMs + (calls > 0 ? now - this.#busySince : 0),
      inFlight: { ...this.#inFlight },
      waiting: run?.waiting() ?? { texts: 0, tokens: 0 },
      mostWaiting: this.#mostWaiting,
      tokensHeld: run?.tokensHeld() ?? 0,
      tokensAllowed: run?.tokensAllowed ?? 0,
      retries: this.#retries,
      errors: Object.fromEntries(this.#errors),
      latency: {
        p50: this.#latencies.quantile(0.5),
        p95: this.#latencies.quantile(0.95),
        p99: this.#latencies.quantile(0.99),
      },
      places: (run?.embedder.measures?.() ?? []).map((place) =>
        since(place, this.#before.get(place.place)),
      ),
    };
  }

  #cache(): CacheMeasures | undefined {
    if (this.#run?.hasCache !== true) return undefined;
    return { hits: this.#hits, misses: this.#misses };
  }

  #count({ texts, tokens }: { readonly texts: number; readonly tokens: number }, by: 1 | -1): void {
    const before = this.#inFlight;
    this.#inFlight = {
      calls: before.calls + by,
      texts: before.texts + by * texts,
      tokens: before.tokens + by * tokens,
    };
  }

  #queued({ texts, tokens }: EmbeddingMeasures["waiting"]): void {
    const most = this.#mostWaiting;
    this.#mostWaiting = {
      texts: Math.max(most.texts, texts),
      tokens: Math.max(most.tokens, tokens),
    };
  }

  #failed(error: unknown): void {
    // What was stopped is nobody's failure.
    if (!isFault(error) || error.code === "aborted") return;
    this.#errors.set(error.code, (this.#errors.get(error.code) ?? 0) + 1);
  }
}

/** What a place did for this run. */
function since(place: PlaceMeasures, before: PlaceMeasures | undefined): PlaceMeasures {
  if (before === undefined) return place;
  return {
    ...place,
    batches: place.batches - before.batches,
    texts: place.texts - before.texts,
    tokens: place.tokens - before.tokens,
    padding: place.padding - before.padding,
    errors: Object.fromEntries(
      Object.entries(place.errors)
        .map(([code, count]) => [code, count - (before.errors[code] ?? 0)] as const)
        .filter(([, count]) => count > 0),
    ),
  };
}
