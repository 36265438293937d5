import type { RunEvent } from "../engine/index.ts";
import { countOf, duration } from "./format.ts";
import { failureLine } from "./run-report.ts";
import type { Terminal } from "./terminal.ts";

/** A component's trouble is told this often at most. */
const repeatMs = 30_000;
const namedWarnings = 5;

/** Tells, while a run works, what a person should not have to wait for. */
export class RunNarrator {
  readonly #terminal: Terminal;
  readonly #follow: boolean;
  readonly #now: () => number;
  readonly #told = new Map<string, number>();
  #warnings = 0;

  constructor(terminal: Terminal, follow: boolean, now = (): number => performance.now()) {
    this.#terminal = terminal;
    this.#follow = follow;
    this.#now = now;
  }

  observe(event: RunEvent): void {
    const terminal = this.#terminal;
    switch (event.kind) {
      case "target-opened":
        if (event.created) {
          terminal.note(`created ${event.sink}: ${event.address}, dimension ${event.dimension}`);
        }
        return;
      case "retrying":
        if (!this.#isNews(event.component)) return;
        terminal.warn(
          `${event.component}: ${event.fault.message} Trying again in ${duration(event.delayMs)}.`,
        );
        return;
      case "component-noted": {
        const { level, message } = event.note;
        if (level === "warning") terminal.warn(`${event.component}: ${message}`);
        else terminal.note(`${event.component}: ${message}`);
        return;
      }
      case "document-warned":
        this.#warnings += 1;
        if (this.#warnings <= namedWarnings) terminal.note(`${event.document}: ${event.message}`);
        return;
      case "document-settled":
        if (this.#follow && event.outcome !== "unchanged") {
          terminal.note(`${event.outcome} ${event.document}`);
        }
        return;
      case "document-failed":
        if (this.#follow && !event.known) terminal.warn(failureLine(event.failure));
        return;
      case "source-empty":
        terminal.warn(`${event.source}: ${event.whenEmpty ?? "Nothing was found there."}`);
        return;
      case "deletions-withheld":
        if (this.#follow) {
          const { count, source } = event.withheld;
          terminal.warn(`${countOf(count, "deletion")} withheld in source \`${source}\`.`);
        }
        return;
      case "listing-ended":
        if (this.#follow && this.#isNews(`listing ${event.source}`, Infinity)) {
          terminal.note(`${event.source}: listed; watching for changes (Ctrl-C stops)`);
        }
        return;
      default:
    }
  }

  /** Tells how many warnings were not told. */
  finish(): void {
    const more = this.#warnings - namedWarnings;
    if (more > 0) this.#terminal.note(`${countOf(more, "more warning")}; \`--verbose\` shows all`);
  }

  #isNews(what: string, every = repeatMs): boolean {
    const now = this.#now();
    const last = this.#told.get(what);
    if (last !== undefined && now - last < every) return false;
    this.#told.set(what, now);
    return true;
  }
}
