import { clearInterval, setInterval } from "node:timers";
import type { RunEvent, RunMeasures } from "../engine/index.ts";
import { embeddingParts } from "./embedding-parts.ts";
import { count, countOf, duration } from "./format.ts";
import type { Terminal } from "./terminal.ts";

const redrawMs = 200;
const lineMs = 10_000;
/** Rates are those of this long. */
const windowMs = 10_000;

interface Sample {
  readonly at: number;
  readonly documents: number;
  readonly chunks: number;
  readonly tokens: number;
}

/** What was done in the last seconds, and how many these are. */
interface Rates extends Omit<Sample, "at"> {
  readonly seconds: number;
}

export interface ProgressOptions {
  /** Documents that the last listings had; for an estimate of the time left. */
  readonly expected?: number;
  /** Milliseconds that only grow. */
  readonly now?: () => number;
  /** Reads what the run measures; without it, that is not shown. */
  readonly measure?: () => RunMeasures;
}

/**
 * Shows what a run does while it works: two lines that are rewritten on a terminal, otherwise both as one line every ten
 * seconds.
 */
export class Progress {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  readonly #measure: (() => RunMeasures) | undefined;
  readonly #sinks = new Map<string, { upserted: number; deleted: number }>();
  /** Sources whose listing has begun and is not over. */
  readonly #listing = new Set<string>();
  #expected: number | undefined;
  #started = false;
  #documents = 0;
  #failed = 0;
  #deleted = 0;
  #embedded = 0;
  #cached = 0;
  #tokens = 0;
  #trouble = "";
  #stopping = false;
  #samples: Sample[] = [];
  #timer: NodeJS.Timeout | undefined;
  #told = "";

  constructor(terminal: Terminal, options: ProgressOptions = {}) {
    this.#terminal = terminal;
    this.#expected = options.expected;
    this.#now = options.now ?? (() => performance.now());
    this.#measure = options.measure;
  }

  start(): void {
    if (this.#terminal.quiet) return;
    this.#sample();
    const interval = this.#terminal.live ? redrawMs : lineMs;
    this.#timer = setInterval(() => this.#tick(), interval);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#terminal.status();
  }

  observe(event: RunEvent): void {
    switch (event.kind) {
      case "listing-started":
        this.#started = true;
        this.#listing.add(event.source);
        // What was listed before the interruption is not listed again, so the number says nothing.
        if (event.resumed) this.#expected = undefined;
        return;
      case "listing-ended":
        this.#listing.delete(event.source);
        return;
      case "document-settled":
        if (event.outcome === "deleted") this.#deleted += 1;
        else this.#documents += 1;
        return;
      case "documents-unchanged":
        this.#documents += event.count;
        return;
      case "document-failed":
        this.#documents += 1;
        this.#failed += 1;
        return;
      case "chunks-embedded":
        this.#embedded += event.count;
        this.#tokens += event.tokens;
        this.#trouble = "";
        return;
      case "chunks-cached":
        this.#cached += event.count;
        return;
      case "records-written": {
        const sink = this.#sinks.get(event.sink) ?? { upserted: 0, deleted: 0 };
        sink.upserted += event.upserted;
        sink.deleted += event.deleted;
        this.#sinks.set(event.sink, sink);
        this.#trouble = "";
        return;
      }
      case "target-opened":
        this.#sinks.set(event.sink, { upserted: 0, deleted: 0 });
        return;
      case "retrying":
        this.#trouble = `waiting for ${event.component} (${event.fault.code})`;
        return;
      case "waiting":
        this.#trouble = `waiting ${duration(event.milliseconds)} until earlier writes cannot land any more`;
        return;
      case "stopping":
        this.#stopping = true;
        return;
      default:
    }
  }

  /** The state of the run in one line; what matters most comes first, for a narrow terminal cuts off the rest. */
  describe(): string {
    const rates = this.#rates();
    return [
      ...(this.#stopping ? ["stopping"] : []),
      ...this.#documentParts(rates),
      ...(this.#trouble === "" ? [] : [this.#trouble]),
      ...(this.#failed > 0 ? [`${count(this.#failed)} failed`] : []),
      ...(this.#deleted > 0 ? [`${count(this.#deleted)} deleted`] : []),
      ...Array.from(this.#sinks, ([name, { upserted, deleted }]) => {
        return `${name} +${count(upserted)}${deleted > 0 ? ` −${count(deleted)}` : ""}`;
      }),
    ].join(" · ");
  }

  /** How embedding goes, in one line; empty before it has begun. */
  describeEmbedding(): string {
    const measures = this.#measure?.();
    return [
      ...this.#chunkParts(this.#rates()),
      ...(measures === undefined ? [] : embeddingParts(measures)),
    ].join(" · ");
  }

  /** Of how many documents, where that is known; otherwise whether more may come. */
  #documentParts({ documents, seconds }: Rates): string[] {
    if (!this.#started) return ["starting"];
    const isListing = this.#listing.size > 0;
    const rate = documents > 0 && seconds > 0 ? ` (${perSecond(documents / seconds)}/s)` : "";
    const expected = this.#expected ?? 0;
    if (isListing && expected > this.#documents) {
      const left = ((expected - this.#documents) / documents) * seconds * 1000;
      const estimate = rate === "" ? "" : `, about ${duration(left)} left`;
      return [`${count(this.#documents)}/${count(expected)} documents${rate}${estimate}`];
    }
    const done = countOf(this.#documents, "document");
    return isListing
      ? [`listing ${[...this.#listing].join(", ")}`, `${done} so far${rate}`]
      : ["all listed", `${done}${rate}`];
  }

  #chunkParts({ chunks, tokens, seconds }: Rates): string[] {
    if (this.#embedded + this.#cached === 0) return [];
    const cached = this.#cached > 0 ? `, ${count(this.#cached)} cached` : "";
    const isFlowing = chunks > 0 && seconds > 0;
    const rate = `${perSecond(chunks / seconds)}/s, ${perSecond(tokens / seconds)} tokens/s`;
    return [
      `${countOf(this.#embedded, "chunk")} embedded${cached}${isFlowing ? ` (${rate})` : ""}`,
    ];
  }

  #tick(): void {
    this.#sample();
    const lines = [this.describe(), this.describeEmbedding()].filter((line) => line !== "");
    const text = lines.join(" · ");
    if (this.#terminal.live) this.#terminal.status(...lines);
    else if (text !== this.#told) this.#terminal.note(text);
    this.#told = text;
  }

  #sample(): void {
    const at = this.#now();
    const [documents, chunks, tokens] = [this.#documents, this.#embedded, this.#tokens];
    this.#samples.push({ at, documents, chunks, tokens });
    this.#samples = this.#samples.filter((sample, index, all) => {
      return sample.at >= at - windowMs || (all[index + 1]?.at ?? at) > at - windowMs;
    });
  }

  #rates(): Rates {
    const [first] = this.#samples;
    if (first === undefined) return { documents: 0, chunks: 0, tokens: 0, seconds: 0 };
    return {
      documents: this.#documents - first.documents,
      chunks: this.#embedded - first.chunks,
      tokens: this.#tokens - first.tokens,
      seconds: (this.#now() - first.at) / 1000,
    };
  }
}

function perSecond(value: number): string {
  return value < 10 ? value.toFixed(1) : count(Math.round(value));
}
