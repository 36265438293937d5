import type { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { RunEvent } from "../../engine/index.ts";

export type PromClient = typeof import("prom-client");

/** Seconds of a call, from a GPU's to a busy server's. */
const callBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** Metrics that are counted as the events of runs come. */
export class EventMetrics {
  readonly #active: Gauge;
  readonly #started: Gauge;
  readonly #documents: Counter;
  readonly #known: Counter;
  readonly #upserted: Counter;
  readonly #deleted: Counter;
  readonly #retries: Counter;
  readonly #calls: Histogram;

  constructor(client: PromClient, registry: Registry) {
    const options = (name: string, help: string, ...labels: readonly string[]) => {
      const labelNames = ["pipeline", ...labels];
      return { name: `sluice_${name}`, help, labelNames, registers: [registry] };
    };
    const { Counter: Counting, Gauge: Showing, Histogram: Sorting } = client;
    this.#active = new Showing(
      options("run_active", "1 while a run of the pipeline is under way, else 0."),
    );
    this.#started = new Showing(
      options("run_start_time_seconds", "When the last run of the pipeline began, since 1970."),
    );
    this.#documents = new Counting(
      options("documents_total", "What became of documents, each time anew.", "outcome"),
    );
    this.#known = new Counting(
      options("chunks_known_total", "Chunks whose vector was known and not asked of the model."),
    );
    this.#upserted = new Counting(
      options("records_upserted_total", "Records written to the sink.", "sink"),
    );
    this.#deleted = new Counting(
      options("records_deleted_total", "Records deleted from the sink.", "sink"),
    );
    this.#retries = new Counting(
      options("retries_total", "Calls that were made again.", "component", "code"),
    );
    this.#calls = new Sorting({
      ...options(
        "embedding_call_duration_seconds",
        "How long calls of the embedder took that brought vectors.",
      ),
      buckets: callBuckets,
    });
  }

  /** The series of a pipeline are there from the start, so that their first step is seen. */
  began(pipeline: string): void {
    this.#active.set({ pipeline }, 1);
    this.#started.set({ pipeline }, Date.now() / 1000);
    this.#known.inc({ pipeline }, 0);
    this.#calls.zero({ pipeline });
    for (const outcome of ["added", "updated", "unchanged", "deleted", "failed"]) {
      this.#documents.inc({ pipeline, outcome }, 0);
    }
  }

  ended(pipeline: string): void {
    this.#active.set({ pipeline }, 0);
  }

  observe(pipeline: string, event: RunEvent, redact: (text: string) => string): void {
    switch (event.kind) {
      case "document-settled":
        this.#documents.inc({ pipeline, outcome: event.outcome });
        return;
      case "documents-unchanged":
        this.#documents.inc({ pipeline, outcome: "unchanged" }, event.count);
        return;
      case "document-failed":
        this.#documents.inc({ pipeline, outcome: "failed" });
        return;
      case "chunks-embedded":
        this.#calls.observe({ pipeline }, event.milliseconds / 1000);
        return;
      case "chunks-cached":
        this.#known.inc({ pipeline }, event.count);
        return;
      case "target-opened":
        this.#written({ pipeline, sink: redact(event.sink) }, { upserted: 0, deleted: 0 });
        return;
      case "records-written":
        this.#written({ pipeline, sink: redact(event.sink) }, event);
        return;
      case "retrying":
        this.#retries.inc({
          pipeline,
          component: redact(event.component),
          code: event.fault.code,
        });
        return;
      default:
    }
  }

  #written(
    labels: { readonly pipeline: string; readonly sink: string },
    { upserted, deleted }: { readonly upserted: number; readonly deleted: number },
  ): void {
    this.#upserted.inc(labels, upserted);
    this.#deleted.inc(labels, deleted);
  }
}
