import type {
  Collection,
  FaultLike,
  Mutation,
  StateSession,
  VisibilityToken,
} from "../contracts/index.ts";
import { isFault } from "../faults/index.ts";
import { raceAbort } from "../flow/index.ts";

/**
 * The writes of one target that reads may not see yet. The last token stands for all writes before it. The state keeps
 * it from the moment that it relies on the writes until somebody has waited for them, so that a process that comes after
 * a killed one knows what to wait for.
 */
export class Visibility {
  readonly #key: string | undefined;
  #token: VisibilityToken | undefined;
  /** What the state holds, as JSON. */
  #kept: string;

  private constructor(key: string | undefined, token: VisibilityToken | undefined) {
    this.#key = key;
    this.#token = token;
    this.#kept = JSON.stringify(token ?? null);
  }

  /** What the state knows of a target, by its incarnation; nothing of one without a marker. */
  static async open(session: StateSession, target: string | undefined): Promise<Visibility> {
    if (target === undefined) return new Visibility(undefined, undefined);
    const key = `visible:${target}`;
    const value = (await session.value(key)) ?? undefined;
    const isToken = typeof value === "object" && !Array.isArray(value);
    return new Visibility(key, isToken ? (value as VisibilityToken) : undefined);
  }

  /** Remembers a write's token, if it has one. */
  note(token: VisibilityToken | undefined): void {
    this.#token = token ?? this.#token;
  }

  /** To be committed together with what says that the writes were made; empty when the state knows. */
  changes(): Mutation[] {
    const value = this.#token ?? null;
    const json = JSON.stringify(value);
    if (this.#key === undefined || json === this.#kept) return [];
    this.#kept = json;
    return [{ kind: "value", key: this.#key, value }];
  }

  /** Brings the state up to date. */
  async keep(session: StateSession): Promise<void> {
    const changes = this.changes();
    if (changes.length > 0) await session.commit(changes, { durable: false });
  }

  /**
   * Waits until reads see everything, which is then forgotten. Gives the fault of a wait that failed: reads may not see
   * everything yet. Rejects on abort.
   */
  async wait(collection: Collection, signal: AbortSignal): Promise<FaultLike | undefined> {
    const token = this.#token;
    if (token === undefined) return undefined;
    try {
      await raceAbort(collection.waitVisible?.(token, signal) ?? Promise.resolve(), signal);
    } catch (error) {
      if (signal.aborted || !isFault(error)) throw error;
      return error;
    }
    if (this.#token === token) this.#token = undefined;
    return undefined;
  }
}
