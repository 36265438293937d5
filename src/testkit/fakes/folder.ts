/** A document in a fake folder. */
export interface FakeDocument {
  readonly bytes: Uint8Array;
  readonly version: number;
}

/** A change of a fake folder; `number` counts them from 1. */
export interface FolderChange {
  readonly number: number;
  readonly id: string;
  readonly kind: "put" | "remove";
}

/** What a fake source reads: documents by id, with a log of changes and switches that break things. */
export class FakeFolder {
  readonly documents = new Map<string, FakeDocument>();
  readonly log: FolderChange[] = [];
  /** Prefixes that cannot be listed. */
  readonly unreadable = new Set<string>();
  /** The whole folder cannot be reached. */
  unreachable = false;
  #changed = Promise.withResolvers<void>();

  put(id: string, text: string): void {
    this.documents.set(id, {
      bytes: new TextEncoder().encode(text),
      version: this.log.length + 1,
    });
    this.#record(id, "put");
  }

  remove(id: string): void {
    this.documents.delete(id);
    this.#record(id, "remove");
  }

  /** Ids in order that can be listed. */
  listing(): string[] {
    return [...this.documents.keys()].filter((id) => !this.isHidden(id)).toSorted();
  }

  isHidden(id: string): boolean {
    return [...this.unreadable].some((prefix) => id.startsWith(prefix));
  }

  /** Resolves with the next change. */
  changed(): Promise<void> {
    return this.#changed.promise;
  }

  #record(id: string, kind: FolderChange["kind"]): void {
    this.log.push({ number: this.log.length + 1, id, kind });
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
