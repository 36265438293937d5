import { clearInterval, setInterval } from "node:timers";
import type { RunEvent } from "../engine/index.ts";
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

export interface ProgressOptions {
  /** Documents that the last listings had; for an estimate of the time left. */
  readonly expected?: number;
  /** Milliseconds that only grow. */
  readonly now?: () => number;
}

/**
 * Shows what a run does while it works: a line that is rewritten on a terminal, otherwise a line every ten seconds.
 */
export class Progress {
  readonly #terminal: Terminal;
  readonly #expected: number | undefined;
  readonly #now: () => number;
  readonly #sinks = new Map<string, { upserted: number; deleted: number }>();
  #documents = 0;
  #failed = 0;
  #embedded = 0;
  #cached = 0;
  #tokens = 0;
  #trouble = "";
  #stopping = false;
  #listed = false;
  #samples: Sample[] = [];
  #timer: NodeJS.Timeout | undefined;
  #told = "";

  constructor(terminal: Terminal, options: ProgressOptions = {}) {
    this.#terminal = terminal;
    this.#expected = options.expected;
    this.#now = options.now ?? (() => performance.now());
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
    this.#terminal.status("");
  }

  observe(event: RunEvent): void {
    switch (event.kind) {
      case "document-settled":
        this.#documents += 1;
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
      case "listing-ended":
        this.#listed = true;
        return;
      case "stopping":
        this.#stopping = true;
        return;
      default:
    }
  }

  /** The state of the run in one line. */
  describe(): string {
    const { documents, chunks, tokens, seconds } = this.#rates();
    const total = this.#expected !== undefined && this.#expected > this.#documents;
    const parts = [
      `${count(this.#documents)}${total ? `/${count(this.#expected ?? 0)}` : ""} documents`,
      ...(this.#failed > 0 ? [`${count(this.#failed)} failed`] : []),
      `${countOf(this.#embedded, "chunk")} embedded${this.#cached > 0 ? `, ${count(this.#cached)} cached` : ""}`,
    ];
    if (seconds > 0 && chunks > 0) {
      parts.push(
        `${perSecond(chunks / seconds)} chunks/s, ${perSecond(tokens / seconds)} tokens/s`,
      );
    }
    for (const [name, { upserted, deleted }] of this.#sinks) {
      parts.push(`${name} +${count(upserted)}${deleted > 0 ? ` −${count(deleted)}` : ""}`);
    }
    const left = (this.#expected ?? 0) - this.#documents;
    if (total && !this.#listed && documents > 0 && seconds > 0) {
      parts.push(`about ${duration((left / documents) * seconds * 1000)} left`);
    }
    if (this.#stopping) parts.push("stopping");
    if (this.#trouble !== "") parts.push(this.#trouble);
    return parts.join(" · ");
  }

  #tick(): void {
    this.#sample();
    const text = this.describe();
    if (this.#terminal.live) this.#terminal.status(text);
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

  #rates(): { documents: number; chunks: number; tokens: number; seconds: number } {
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
