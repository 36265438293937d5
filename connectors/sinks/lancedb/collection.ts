import type {
  Collection,
  CollectionMarker,
  Filter,
  SearchHit,
  SearchRequest,
  SinkLimits,
  StoredRecord,
  WriteOperation,
  WriteOutcome,
} from "../../../src/contracts/index.ts";
import { isFault } from "../../../src/faults/index.ts";
import { largestInt32, recordProblem } from "../../../src/records/check-record.ts";
import { deleteLast } from "../../../src/records/delete-last.ts";
import { headerFields } from "../../../src/records/read-record.ts";
import { type Batch, sortOperations } from "../../../src/records/sort-operations.ts";
import { weigh } from "../../../src/records/weigh.ts";
import { Durability } from "./durability.ts";
import { encodeRecords } from "./encode.ts";
import { Housekeeping } from "./housekeeping.ts";
import { concurrentCommits, LiveTable, type TableOptions } from "./live-table.ts";
import { writeMarker } from "./marker.ts";
import { allColumns, countRecords, readPages, searchRecords } from "./reading.ts";
import { createField } from "./schema.ts";
import { idsIn, quoteName, quoteText } from "./sql.ts";

/**
 * Twice as many writes as commits, because a write also waits for the disk.
 *
 * The write horizon is zero. A native call cannot be interrupted, and `write` waits for it also after an abort, so
 * within the process nothing lands after `write` ended. The driver's threads die with the process, and the lock on the
 * state is only released when the last of them is gone, so nothing lands after another process could have begun.
 */
const limits: SinkLimits = {
  operationsPerWrite: 2_000,
  bytesPerWrite: 16 * 1024 * 1024,
  concurrentWrites: 2 * concurrentCommits,
  writeHorizonMs: 0,
};

/** Ids in one condition; a longer list costs parsing, a shorter one more scans. */
const idsPerQuery = 1_000;

/** An open table. */
export class LanceCollection implements Collection {
  readonly limits = limits;
  readonly dimension: number;
  readonly #live: LiveTable;
  readonly #durability: Durability;
  readonly #housekeeping: Housekeeping;
  /** The table has every column that it can get. */
  #complete = false;

  constructor(options: TableOptions) {
    this.dimension = options.dimension;
    this.#live = new LiveTable(options);
    this.#durability = new Durability(options.folder);
    this.#housekeeping = new Housekeeping();
  }

  sizeOf(operation: WriteOperation): number {
    return weigh(operation);
  }

  async write(operations: readonly WriteOperation[], signal: AbortSignal): Promise<WriteOutcome> {
    const { declared, address } = this.#live.options;
    const batch = sortOperations(operations, {
      dimension: this.dimension,
      address,
      problemOf: (record) => recordProblem(record, declared, largestInt32),
    });
    await this.#completeColumns(signal);
    const failed = await this.#live.run("write", "written", signal, () =>
      this.#apply(batch, signal),
    );
    await this.#durable();
    if (this.#housekeeping.due) await this.#tidy(signal);
    return { failed };
  }

  /** Upserts, then deletes; gives what failed. */
  async #apply(
    { upserts, deletes, failed }: Batch,
    signal: AbortSignal,
  ): Promise<WriteOutcome["failed"]> {
    const { native } = this.#live.options;
    const { table } = this.#live;
    const { columns } = await this.#live.schema();
    if (upserts.length > 0) {
      const batch = encodeRecords(native, columns, this.dimension, upserts);
      const { numUpdatedRows } = await table
        .mergeInsert(this.#live.idColumn)
        .whenMatchedUpdateAll()
        .whenNotMatchedInsertAll()
        .execute(batch);
      this.#housekeeping.count(upserts.length, numUpdatedRows);
    }
    const undeleted = await deleteLast(deletes, { upserted: upserts.length > 0, signal }, () =>
      this.#delete(deletes),
    );
    return new Map([...failed, ...undeleted]);
  }

  async #delete(ids: readonly string[]): Promise<WriteOutcome["failed"]> {
    try {
      await this.#live.table.delete(idsIn(this.#live.idColumn, ids));
    } catch (error) {
      throw this.#live.toFault(error, "written");
    }
    this.#housekeeping.count(0, ids.length);
    return new Map();
  }

  async read(
    ids: readonly string[],
    options: { readonly vectors: boolean },
    signal: AbortSignal,
  ): Promise<readonly StoredRecord[]> {
    signal.throwIfAborted();
    const unique = [...new Set(ids)];
    const records: StoredRecord[] = [];
    for (let start = 0; start < unique.length; start += idsPerQuery) {
      const where = idsIn(this.#live.idColumn, unique.slice(start, start + idsPerQuery));
      for await (const page of readPages(this.#live, where, allColumns(options.vectors), signal)) {
        records.push(...page);
      }
    }
    return records;
  }

  count(filter: Filter | undefined, signal: AbortSignal): Promise<number> {
    return countRecords(this.#live, filter, signal);
  }

  scan(
    { pipeline, vectors = false }: { readonly pipeline: string; readonly vectors?: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<readonly StoredRecord[]> {
    const column = this.#live.options.layout.find("pipeline")?.name ?? "pipeline";
    const where = `${quoteName(column)} = ${quoteText(pipeline)}`;
    return readPages(
      this.#live,
      where,
      ({ column: { field } }) => headerFields.has(field) || (vectors && field === "vector"),
      signal,
    );
  }

  search(request: SearchRequest, signal: AbortSignal): Promise<readonly SearchHit[]> {
    return searchRecords(this.#live, request, signal);
  }

  async setMarker(marker: CollectionMarker, signal: AbortSignal): Promise<void> {
    const { seen } = this.#live.options;
    await this.#live.run("alone", "written", signal, async () => {
      await this.#live.schema();
      await writeMarker(this.#live.table, this.#live.idColumn, marker, seen.marker);
      this.#live.marked(marker);
    });
    await this.#durable();
  }

  /** Loses against a write or a compaction of another process without a fault: the next run compacts. */
  async optimize(signal: AbortSignal): Promise<void> {
    try {
      const compacted = await this.#live.run("alone", "optimised", signal, () =>
        this.#housekeeping.finish(this.#live.table),
      );
      if (compacted) await this.#durable();
    } catch (error) {
      if (!isFault(error) || error.code !== "sink.conflict") throw error;
    }
  }

  close(): Promise<void> {
    return this.#live.close();
  }

  /** Waits for the disk; also after an abort or a close, because what is committed is to be acknowledged. */
  async #durable(): Promise<void> {
    try {
      await this.#durability.sync();
    } catch (error) {
      throw this.#live.toFault(error, "written");
    }
  }

  /** Between writes. A compaction that fails costs speed only; if something is wrong, the next write says so. */
  async #tidy(signal: AbortSignal): Promise<void> {
    try {
      const compacted = await this.#live.run("alone", "optimised", signal, async () => {
        if (!this.#housekeeping.due) return false;
        const isCompacted = await this.#housekeeping.look(this.#live.table);
        await this.#live.refresh();
        return isCompacted;
      });
      if (compacted) await this.#durability.sync();
    } catch {
      // The writes stand; the compaction is tried again after as many more.
    }
  }

  /** Adds the columns of fields that were declared after sluice made the table. */
  async #completeColumns(signal: AbortSignal): Promise<void> {
    if (this.#complete) return;
    await this.#live.run("alone", "written", signal, async () => {
      const { native } = this.#live.options;
      const { table } = this.#live;
      const { ours, missing } = await this.#live.schema();
      if (ours && missing.length > 0) {
        await table.addColumns(missing.map((column) => createField(native, column)));
      }
      this.#complete = true;
    });
  }
}
