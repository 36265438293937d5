import { endianness } from "node:os";

/** Of the layout of keys and values; another one does not see this one's. Numbers lie in the machine's order. */
const layout = endianness() === "LE" ? "1" : "1b";

/** The names of keys in Redis, all under one prefix. */
export class RedisKeys {
  readonly #prefix: string;
  readonly #base: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.#base = `${prefix}${layout}:`;
  }

  /** A hash: the generation, and the probe of each space. */
  get probes(): string {
    return `${this.#base}probes`;
  }

  /** Written and read back once, to see whether that is allowed. */
  get trial(): string {
    return `${this.#base}trial`;
  }

  entry(generation: string, key: string): string {
    return `${this.#base}${generation}:${key}`;
  }

  /** What `SCAN` finds the entries of a generation by. */
  entries(generation: string): string {
    return `${escapeGlob(`${this.#base}${generation}:`)}*`;
  }

  /** What `SCAN` finds everything by, that of other versions of sluice too. */
  get everything(): string {
    return `${escapeGlob(this.#prefix)}*`;
  }
}

/** The field of the probes' hash that names the generation; no space is called so. */
export const generationField = "generation";

export function probeField(space: string): string {
  return `space:${space}`;
}

function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]^]/g, String.raw`\$&`);
}
