import { clearInterval, setInterval } from "node:timers";
import type { ExpectedFile } from "../../models/pull/checksum.ts";
import type { Choice } from "../../models/pull/choose-files.ts";
import type { PullWatcher } from "../../models/pull/pull-model.ts";
import { bytes, countOf, duration } from "../format.ts";
import type { Terminal } from "../terminal.ts";

const redrawMs = 200;
const lineMs = 10_000;
/** Less than this is read at once. */
const worthTelling = 64 * 1024 * 1024;
/** The rate is that of this long. */
const windowMs = 10_000;

/** Shows how far a model is pulled: a line that is rewritten on a terminal, otherwise one every ten seconds. */
export class PullProgress implements PullWatcher {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  #total = 0;
  #there = 0;
  #samples: { readonly at: number; readonly there: number }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(terminal: Terminal, now: () => number = () => performance.now()) {
    this.#terminal = terminal;
    this.#now = now;
  }

  checking(count: number): void {
    if (this.#terminal.json || count < worthTelling) return;
    this.#terminal.note(`Verifying ${bytes(count)} that are there.`);
  }

  chosen({ files, graph }: Choice<ExpectedFile>, there: number): void {
    this.#total = files.reduce((sum, { size }) => sum + size, 0);
    this.#there = there;
    this.stop();
    this.#samples = [];
    this.#sample();
    if (this.#terminal.json || this.#terminal.quiet || there === this.#total) return;
    const onnx = graph === undefined ? "" : `, ${graph}`;
    const before = there > 0 ? `, ${bytes(there)} of them there from earlier` : "";
    this.#terminal.note(`${countOf(files.length, "file")}, ${bytes(this.#total)}${before}${onnx}`);
    const live = this.#terminal.live;
    this.#timer = setInterval(() => this.#tick(), live ? redrawMs : lineMs);
    this.#timer.unref();
  }

  bytes(count: number): void {
    this.#there += count;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#terminal.status("");
  }

  /** `1.1 GB of 2.3 GB (47 %), 80.1 MB/s, about 15 s left`. */
  describe(): string {
    this.#sample();
    const [there, total] = [this.#there, this.#total];
    const share = total === 0 ? 100 : Math.floor((there / total) * 100);
    const parts = [`${bytes(there)} of ${bytes(total)} (${share} %)`];
    const [first] = this.#samples;
    const seconds = first === undefined ? 0 : (this.#now() - first.at) / 1000;
    const rate = first === undefined || seconds <= 0 ? 0 : (there - first.there) / seconds;
    if (rate > 0) {
      parts.push(`${bytes(rate)}/s`, `about ${duration(((total - there) / rate) * 1000)} left`);
    }
    return parts.join(", ");
  }

  #tick(): void {
    const text = this.describe();
    if (this.#terminal.live) this.#terminal.status(text);
    else this.#terminal.note(text);
  }

  #sample(): void {
    const at = this.#now();
    this.#samples.push({ at, there: this.#there });
    this.#samples = this.#samples.filter((sample) => sample.at >= at - windowMs);
  }
}
