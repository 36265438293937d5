import type { Random } from "./random.ts";
import { Timeline } from "./timeline.ts";

/** One version of a simulated document. */
export interface SimulatedDocument {
  readonly version: number;
  readonly lines: readonly string[];
  /** Metadata that changes without the content. */
  readonly label: string;
}

/** A change of the documents, as a change log would tell it. */
export interface Change {
  readonly id: string;
}

const ids = ["a", "b", "c", "d/1", "d/2", "e"] as const;
const words = ["red", "green", "blue", "grey", "pink"] as const;

/** A line with this word cannot be embedded. */
export const poison = "poison";

/** The documents, and everything that ever was one: what the index has to follow. */
export class World {
  readonly timeline = new Timeline();
  readonly documents = new Map<string, SimulatedDocument>();
  /** Every content that a document ever had, as the ordered lines. */
  readonly past = new Map<string, (readonly string[])[]>();
  readonly changes: Change[] = [];
  /** Called with the id of every document that is removed. */
  onRemove: (id: string) => void = () => undefined;
  readonly #random: Random;
  readonly #poison: boolean;
  #version = 0;

  constructor(random: Random, options: { readonly poison: boolean }) {
    this.#random = random;
    this.#poison = options.poison;
  }

  get ids(): readonly string[] {
    return ids;
  }

  /** Adds, edits or removes one document. */
  mutate(): void {
    const id = this.#random.pick(ids);
    const before = this.documents.get(id);
    this.changes.push({ id });
    if (before !== undefined && this.#random.chance(0.3)) {
      this.documents.delete(id);
      this.onRemove(id);
      return;
    }
    const labelOnly = before !== undefined && this.#random.chance(0.2);
    const lines = labelOnly ? before.lines : this.#lines(before?.lines ?? []);
    this.#version += 1;
    const label = this.#random.chance(0.3) ? `label ${this.#version}` : (before?.label ?? "none");
    this.documents.set(id, { version: this.#version, lines, label });
    const past = this.past.get(id) ?? [];
    past.push(lines);
    this.past.set(id, past);
  }

  #lines(before: readonly string[]): readonly string[] {
    const count = this.#random.below(4);
    const fresh = Array.from({ length: count }, () => {
      if (this.#poison && this.#random.chance(0.05)) return poison;
      return this.#random.pick(words);
    });
    // Some lines stay, so that chunks are shared between versions; equal lines test occurrences.
    return this.#random.chance(0.5) ? [...fresh, ...before.slice(0, 2)] : fresh;
  }
}
