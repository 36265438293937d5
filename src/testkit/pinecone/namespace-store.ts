import type { PineconeRecord } from "./record.ts";

/** A write that was accepted: what becomes of each record it touches. */
interface Write {
  readonly lsn: number;
  /** When reads see it; monotonic milliseconds. */
  readonly visibleAt: number;
  readonly changes: Changes;
  /** Whether the namespace exists after it. */
  readonly exists: boolean;
}

/** Records by id, undefined for those that go. */
export type Changes = ReadonlyMap<string, PineconeRecord | undefined>;

/** What reads see at some time. */
export interface ReadableView {
  readonly records: ReadonlyMap<string, PineconeRecord>;
  /** The log sequence number of the last write that is in it. */
  readonly lsn: number;
  readonly exists: boolean;
}

/**
 * A namespace: what was written, at once, and what reads see of it, which comes later and in the order of the writes.
 * The log sequence number only grows, also when the namespace is deleted and made again.
 */
export class NamespaceStore {
  /** The metadata fields that are indexed, when it was made with a list of them. */
  filterable: readonly string[] | undefined;
  readonly #durable = new Map<string, PineconeRecord>();
  readonly #readable = new Map<string, PineconeRecord>();
  #pending: Write[] = [];
  #lsn = 0;
  #exists = false;
  #readableLsn = 0;
  #readableExists = false;
  #sortedIds: readonly string[] | undefined;

  /** Everything that was written, seen by reads or not. */
  get durable(): ReadonlyMap<string, PineconeRecord> {
    return this.#durable;
  }

  get exists(): boolean {
    return this.#exists;
  }

  /** Accepts a write; gives its log sequence number. */
  write(changes: Changes, visibleAt: number, exists = true): number {
    this.#lsn += 1;
    this.#exists = exists;
    apply(changes, this.#durable);
    this.#pending.push({ lsn: this.#lsn, visibleAt, changes, exists });
    return this.#lsn;
  }

  /** What reads see now. */
  view(now: number): ReadableView {
    const hidden = this.#pending.findIndex(({ visibleAt }) => visibleAt > now);
    const due = this.#pending.splice(0, hidden === -1 ? this.#pending.length : hidden);
    for (const { lsn, changes, exists } of due) {
      if (apply(changes, this.#readable)) this.#sortedIds = undefined;
      this.#readableLsn = lsn;
      this.#readableExists = exists;
    }
    return { records: this.#readable, lsn: this.#readableLsn, exists: this.#readableExists };
  }

  /** The ids that reads see now, in the order of their bytes. */
  sortedIds(now: number): readonly string[] {
    this.view(now);
    // Ids are ASCII, so the order of UTF-16 units is that of bytes.
    this.#sortedIds ??= [...this.#readable.keys()].toSorted((one, other) => (one < other ? -1 : 1));
    return this.#sortedIds;
  }
}

/** Says whether ids came or went. */
function apply(changes: Changes, records: Map<string, PineconeRecord>): boolean {
  let isOther = false;
  for (const [id, record] of changes) {
    if (record === undefined) isOther = records.delete(id) || isOther;
    else {
      isOther ||= !records.has(id);
      records.set(id, record);
    }
  }
  return isOther;
}
