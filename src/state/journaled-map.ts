/** Changes that can be taken back, newest first. */
export class UndoLog {
  readonly #steps: (() => void)[] = [];

  get length(): number {
    return this.#steps.length;
  }

  push(step: () => void): void {
    this.#steps.push(step);
  }

  /** Takes back every change after the first `length`. */
  rollBack(length: number): void {
    while (this.#steps.length > length) this.#steps.pop()?.();
  }

  /** Makes all changes final. */
  clear(): void {
    this.#steps.length = 0;
  }
}

/** A map that writes how to take each change back into an undo log. Values are never changed in place. */
export class JournaledMap<Key, Value> {
  readonly #map = new Map<Key, Value>();
  readonly #undo: UndoLog;

  constructor(undo: UndoLog) {
    this.#undo = undo;
  }

  get size(): number {
    return this.#map.size;
  }

  get(key: Key): Value | undefined {
    return this.#map.get(key);
  }

  has(key: Key): boolean {
    return this.#map.has(key);
  }

  values(): IterableIterator<Value> {
    return this.#map.values();
  }

  set(key: Key, value: Value): void {
    this.#remember(key);
    this.#map.set(key, value);
  }

  delete(key: Key): void {
    if (!this.#map.has(key)) return;
    this.#remember(key);
    this.#map.delete(key);
  }

  #remember(key: Key): void {
    const before = this.#map.get(key);
    const existed = this.#map.has(key);
    this.#undo.push(() => {
      if (existed) this.#map.set(key, before as Value);
      else this.#map.delete(key);
    });
  }
}
