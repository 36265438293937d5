import type { Counter, Gauge, Registry } from "prom-client";
import type { RunEvent, RunMeasures, RunMeter } from "../../engine/index.ts";
import { EventMetrics, type PromClient } from "./event-metrics.ts";
import {
  type MeasuredMetric,
  processMetrics,
  runMetrics,
  type Sample,
} from "./measured-metrics.ts";

/** A run of this process, as it is measured. */
interface WatchedRun {
  readonly pipeline: string;
  readonly meter: RunMeter;
  /** What was measured in the end; undefined while the run works. */
  last: RunMeasures | undefined;
}

/** A metric with what holds its values for a page. */
interface HeldMetric {
  readonly metric: MeasuredMetric;
  readonly held: Counter | Gauge;
}

/** How a run is followed. */
export interface RunWatch {
  readonly observe: (event: RunEvent) => void;
  /** The run is over: its counters stay, its gauges go. */
  readonly end: () => void;
}

/** The measures of all runs of the process as metrics of Prometheus. Values of labels are redacted. */
export class RunMetrics {
  readonly #registry: Registry;
  readonly #redact: (text: string) => string;
  readonly #runs: WatchedRun[] = [];
  readonly #ofRuns: readonly HeldMetric[];
  readonly #ofProcess: readonly HeldMetric[];
  readonly #events: EventMetrics;

  private constructor(client: PromClient, redact: (text: string) => string) {
    const registry = new client.Registry();
    const hold = (metric: MeasuredMetric, ...common: readonly string[]): HeldMetric => {
      const { name, help, labels } = metric;
      const options = { name, help, labelNames: [...common, ...labels], registers: [registry] };
      const held =
        metric.type === "counter" ? new client.Counter(options) : new client.Gauge(options);
      return { metric, held };
    };
    this.#registry = registry;
    this.#redact = redact;
    this.#events = new EventMetrics(client, registry);
    this.#ofRuns = runMetrics.map((metric) => hold(metric, "pipeline"));
    this.#ofProcess = processMetrics.map((metric) => hold(metric));
  }

  static async load(redact: (text: string) => string): Promise<RunMetrics> {
    const { default: client } = await import("prom-client");
    return new RunMetrics(client, redact);
  }

  /** Follows a run; its events have to be handed over. */
  watch(name: string, meter: RunMeter): RunWatch {
    const pipeline = this.#redact(name);
    const run: WatchedRun = { pipeline, meter, last: undefined };
    this.#runs.push(run);
    this.#events.began(pipeline);
    return {
      observe: (event) => this.#events.observe(pipeline, event, this.#redact),
      end: () => {
        run.last ??= meter.read();
        this.#events.ended(pipeline);
      },
    };
  }

  /** The page, of this moment. */
  async page(): Promise<{ readonly type: string; readonly text: string }> {
    for (const { held } of [...this.#ofRuns, ...this.#ofProcess]) held.reset();
    let newest: RunMeasures | undefined;
    for (const { pipeline, meter, last } of this.#runs) {
      newest = last ?? meter.read();
      for (const { metric, held } of this.#ofRuns) {
        if (last !== undefined && metric.type === "gauge") continue;
        this.#fill(held, metric.samples(newest), { pipeline });
      }
    }
    for (const { metric, held } of this.#ofProcess) {
      if (newest !== undefined) this.#fill(held, metric.samples(newest), {});
    }
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  /** What comes twice under the same labels, such as two runs of one pipeline, is added up. */
  #fill(held: Counter | Gauge, samples: readonly Sample[], common: Sample["labels"]): void {
    for (const { labels, value } of samples) {
      // A limit that is none has no number.
      if (Number.isFinite(value)) held.inc({ ...common, ...this.#hide(labels) }, value);
    }
  }

  #hide(labels: Sample["labels"]): Sample["labels"] {
    return Object.fromEntries(
      Object.entries(labels).map(([name, value]) => [name, this.#redact(value)]),
    );
  }
}
