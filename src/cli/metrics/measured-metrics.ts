import type { PlaceMeasures } from "../../contracts/index.ts";
import { batchFill, type RunMeasures } from "../../engine/measures.ts";

/** A value with its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric that is read from the measures of a run whenever somebody asks. */
export interface MeasuredMetric {
  /** A counter keeps what runs before added to it; a gauge is of the runs that are under way. */
  readonly type: "counter" | "gauge";
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly samples: (measures: RunMeasures) => readonly Sample[];
}

/** Of each run, with the label `pipeline` besides. */
export const runMetrics: readonly MeasuredMetric[] = [
  one(
    "counter",
    "embedding_texts_total",
    "Texts that the model embedded.",
    (run) => run.embedding.texts,
  ),
  one(
    "counter",
    "embedding_tokens_total",
    "Tokens that the model embedded.",
    (run) => run.embedding.tokens,
  ),
  one(
    "counter",
    "embedding_busy_seconds_total",
    "Time in which a call of the embedder was under way.",
    (run) => run.embedding.busyMs / 1000,
  ),
  byCode(
    "embedding_errors_total",
    "Calls of the embedder that failed, by fault code.",
    (run) => run.embedding.errors,
  ),
  one(
    "gauge",
    "embedding_waiting_texts",
    "Texts that wait for a call of the embedder.",
    (run) => run.embedding.waiting.texts,
  ),
  one(
    "gauge",
    "embedding_waiting_tokens",
    "Tokens that wait for a call of the embedder.",
    (run) => run.embedding.waiting.tokens,
  ),
  one(
    "gauge",
    "embedding_inflight_calls",
    "Calls of the embedder that are under way.",
    (run) => run.embedding.inFlight.calls,
  ),
  one(
    "gauge",
    "embedding_inflight_texts",
    "Texts in calls that are under way.",
    (run) => run.embedding.inFlight.texts,
  ),
  one(
    "gauge",
    "embedding_inflight_tokens",
    "Tokens in calls that are under way.",
    (run) => run.embedding.inFlight.tokens,
  ),
  one(
    "gauge",
    "embedding_held_tokens",
    "Tokens between chunker and vectors, waiting and under way.",
    (run) => run.embedding.tokensHeld,
  ),
  one(
    "gauge",
    "embedding_held_limit_tokens",
    "The most tokens between chunker and vectors (limits.tokens_in_flight).",
    (run) => run.embedding.tokensAllowed,
  ),
  one(
    "counter",
    "cache_hits_total",
    "Chunks whose vector the cache had.",
    (run) => run.cache?.hits,
  ),
  one(
    "counter",
    "cache_misses_total",
    "Chunks whose vector the cache did not have.",
    (run) => run.cache?.misses,
  ),
  ofPlaces(
    "counter",
    "place_batches_total",
    "Batches, or requests, that brought vectors.",
    (place) => place.batches,
  ),
  ofPlaces(
    "counter",
    "place_texts_total",
    "Texts that the place embedded.",
    (place) => place.texts,
  ),
  ofPlaces(
    "counter",
    "place_tokens_total",
    "Tokens that the place embedded.",
    (place) => place.tokens,
  ),
  ofPlaces(
    "counter",
    "place_padding_tokens_total",
    "Tokens of padding that the place computed besides.",
    (place) => place.padding,
  ),
  {
    type: "counter",
    name: "sluice_embedding_place_errors_total",
    help: "What failed at the place, by fault code.",
    labels: ["place", "code"],
    samples: ({ embedding }) =>
      embedding.places.flatMap(({ place, errors }) =>
        Object.entries(errors).map(([code, value]) => ({ labels: { place, code }, value })),
      ),
  },
  ofPlaces(
    "gauge",
    "place_inflight_batches",
    "Batches under way at the place.",
    (place) => place.inFlight,
  ),
  ofPlaces(
    "gauge",
    "place_window_batches",
    "How many batches there may be at the place at present.",
    (place) => place.window,
  ),
  ofPlaces(
    "gauge",
    "place_batch_limit_tokens",
    "The most tokens of a batch, padding included.",
    (place) => place.batchTokens,
  ),
  ofPlaces(
    "gauge",
    "place_batch_limit_texts",
    "The most texts of a batch.",
    (place) => place.batchTexts,
  ),
  ofPlaces(
    "gauge",
    "place_batch_fill_ratio",
    "How full batches were so far, by tokens or by texts, whichever fills them more.",
    (place) => batchFill([place]),
  ),
  ofPlaces("gauge", "place_ejected", "1 while nothing is sent to the place, else 0.", (place) =>
    Number(place.ejected),
  ),
  ofPlaces(
    "gauge",
    "place_server_running_requests",
    "Requests that the server says it computes, those of others included.",
    (place) => place.load?.running,
  ),
  ofPlaces(
    "gauge",
    "place_server_waiting_requests",
    "Requests that the server says wait there, those of others included.",
    (place) => place.load?.waiting,
  ),
  ofPlaces(
    "gauge",
    "place_server_memory_ratio",
    "The share of the server's memory for keys and values that it says is in use.",
    (place) => place.load?.memory,
  ),
  {
    type: "gauge",
    name: "sluice_embedding_place_batch_duration_seconds",
    help: "How long batches took so far, at this quantile.",
    labels: ["place", "quantile"],
    samples: ({ embedding }) =>
      embedding.places.flatMap(({ place, latency }) => [
        { labels: { place, quantile: "0.5" }, value: latency.p50 / 1000 },
        { labels: { place, quantile: "0.95" }, value: latency.p95 / 1000 },
        { labels: { place, quantile: "0.99" }, value: latency.p99 / 1000 },
      ]),
  },
];

/** Of the process and its machine. */
export const processMetrics: readonly MeasuredMetric[] = [
  {
    type: "gauge",
    name: "sluice_event_loop_delay_seconds",
    help: "For how long the main thread was blocked since the start, at this quantile.",
    labels: ["quantile"],
    samples: ({ loop }) =>
      loop === undefined
        ? []
        : [
            { labels: { quantile: "0.5" }, value: loop.p50 / 1000 },
            { labels: { quantile: "0.99" }, value: loop.p99 / 1000 },
            { labels: { quantile: "1" }, value: loop.max / 1000 },
          ],
  },
  ofProcess("gauge", "resident_memory_bytes", "Memory of the process.", () =>
    process.memoryUsage.rss(),
  ),
  ofProcess("counter", "cpu_seconds_total", "Time of the processor that all threads took.", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }),
  ofGpus(
    "gpu_memory_used_bytes",
    "Memory of the GPU that is in use, by all programs.",
    (gpu) => gpu.memoryUsedBytes,
  ),
  ofGpus("gpu_memory_bytes", "Memory of the GPU.", (gpu) => gpu.memoryTotalBytes),
  ofGpus(
    "gpu_utilization_ratio",
    "The share of time in which the GPU computed.",
    (gpu) => gpu.utilization,
  ),
];

function one(
  type: MeasuredMetric["type"],
  name: string,
  help: string,
  value: (measures: RunMeasures) => number | undefined,
): MeasuredMetric {
  const samples = (measures: RunMeasures): readonly Sample[] => told({}, value(measures));
  return { type, name: `sluice_${name}`, help, labels: [], samples };
}

function byCode(
  name: string,
  help: string,
  counts: (measures: RunMeasures) => Readonly<Record<string, number>>,
): MeasuredMetric {
  return {
    type: "counter",
    name: `sluice_${name}`,
    help,
    labels: ["code"],
    samples: (measures) =>
      Object.entries(counts(measures)).map(([code, value]) => ({ labels: { code }, value })),
  };
}

function ofPlaces(
  type: MeasuredMetric["type"],
  name: string,
  help: string,
  value: (place: PlaceMeasures) => number | undefined,
): MeasuredMetric {
  return {
    type,
    name: `sluice_embedding_${name}`,
    help,
    labels: ["place"],
    samples: ({ embedding }) =>
      embedding.places.flatMap((place) => told({ place: place.place }, value(place))),
  };
}

function ofProcess(
  type: MeasuredMetric["type"],
  name: string,
  help: string,
  value: () => number,
): MeasuredMetric {
  return {
    type,
    name: `sluice_process_${name}`,
    help,
    labels: [],
    samples: () => told({}, value()),
  };
}

function ofGpus(
  name: string,
  help: string,
  value: (gpu: RunMeasures["gpus"][number]) => number | undefined,
): MeasuredMetric {
  return {
    type: "gauge",
    name: `sluice_${name}`,
    help,
    labels: ["gpu"],
    samples: ({ gpus }) => gpus.flatMap((gpu) => told({ gpu: gpu.gpu }, value(gpu))),
  };
}

/** What is not known is left out. */
function told(labels: Sample["labels"], value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : [{ labels, value }];
}
