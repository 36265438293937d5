import type { Clock } from "../../contracts/index.ts";
import type { VectorShape } from "./check-record.ts";
import {
  denseField,
  type IndexDefinition,
  isClassic,
  type PineconeMetric,
} from "./index-definition.ts";
import { type Changes, NamespaceStore } from "./namespace-store.ts";

/** What all indexes of an emulator share; tests change it as they go. */
export interface Conditions {
  readonly clock: Clock;
  /** How long after its acknowledgement reads see a write. */
  visibilityDelayMs: number;
  /** How long a new index is not ready. */
  readonly readyDelayMs: number;
  /** Whether the matches of a query come in another order than by score. */
  readonly unsortedMatches: boolean;
}

/** An index: its definition and its namespaces. */
export class IndexStore {
  definition: IndexDefinition;
  /** Where its data plane is; undefined until it has one. */
  host: string | undefined;
  readonly conditions: Conditions;
  readonly #namespaces = new Map<string, NamespaceStore>();
  readonly #readyAt: number;

  constructor(definition: IndexDefinition, conditions: Conditions) {
    this.definition = definition;
    this.conditions = conditions;
    this.#readyAt = conditions.clock.monotonic() + conditions.readyDelayMs;
  }

  /** What vectors it takes. */
  get shape(): VectorShape {
    return { dimension: denseField(this.definition)?.dimension };
  }

  get metric(): PineconeMetric {
    return denseField(this.definition)?.metric ?? "dotproduct";
  }

  /** Whether the vectors API serves it. */
  get isClassic(): boolean {
    return isClassic(this.definition);
  }

  isReady(): boolean {
    return this.now() >= this.#readyAt;
  }

  now(): number {
    return this.conditions.clock.monotonic();
  }

  /** A namespace that exists, as far as writes go. */
  find(name: string): NamespaceStore | undefined {
    const namespace = this.#namespaces.get(name);
    return namespace?.exists === true ? namespace : undefined;
  }

  /** A namespace as reads see it; it may not exist for them yet, or no more. */
  peek(name: string): NamespaceStore | undefined {
    return this.#namespaces.get(name);
  }

  /** Accepts a write, which makes the namespace; gives the log sequence number. */
  write(name: string, changes: Changes, exists = true): number {
    const visibleAt = this.now() + this.conditions.visibilityDelayMs;
    return this.open(name).write(changes, visibleAt, exists);
  }

  /** The namespace of this name, made when there is none. */
  open(name: string): NamespaceStore {
    const namespace = this.#namespaces.get(name) ?? new NamespaceStore();
    this.#namespaces.set(name, namespace);
    return namespace;
  }

  /** Names of the namespaces that exist for reads, in the order of their bytes. */
  names(): readonly string[] {
    const now = this.now();
    return [...this.#namespaces]
      .filter(([, namespace]) => namespace.view(now).exists)
      .map(([name]) => name)
      .toSorted((one, other) => (one < other ? -1 : 1));
  }
}
