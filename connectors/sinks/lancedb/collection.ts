import type * as Arrow from "apache-arrow";
import type * as LanceDb from "@lancedb/lancedb";
import type {
  Collection,
  CollectionMarker,
  FieldType,
  Filter,
  Metric,
  SearchHit,
  SearchRequest,
  SinkLimits,
  StoredRecord,
  WriteOperation,
  WriteOutcome,
} from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { checkFilter } from "../../../src/flow/filter.ts";
import { Gate } from "../../../src/flow/index.ts";
import { decodeBatch } from "./decode.ts";
import { Durability } from "./durability.ts";
import { encodeRecords } from "./encode.ts";
import { toFault, type FailedCall } from "./faults.ts";
import { Housekeeping } from "./housekeeping.ts";
import type { Layout } from "../../../src/flow/record-layout.ts";
import { readMarks, writeMarker } from "./marker.ts";
import type { Native } from "./native.ts";
import { prepare, sizeOf, type Batch } from "./operations.ts";
import { createField, readSchema, type LiveColumn, type LiveSchema } from "./schema.ts";
import { idsIn, quoteName, quoteText, toSql } from "./sql.ts";

/**
 * Two writes at a time: while one is encoded or synced, the other commits; more gained nothing on two cores.
 *
 * The write horizon is zero. A native call cannot be interrupted, and `write` waits for it also after an abort, so
 * within the process nothing lands after `write` ended. The driver's threads die with the process, and the lock on the
 * state is only released when the last of them is gone, so nothing lands after another process could have begun.
 */
const limits: SinkLimits = {
  operationsPerWrite: 2_000,
  bytesPerWrite: 16 * 1024 * 1024,
  concurrentWrites: 2,
  writeHorizonMs: 0,
};

/** Ids in one condition; a longer list costs parsing, a shorter one more scans. */
const idsPerQuery = 1_000;
/** Records of one page of a scan. */
const recordsPerPage = 1_000;

/** What a collection needs to know of its sink. */
export interface CollectionOptions {
  readonly native: Native;
  readonly table: LanceDb.Table;
  readonly layout: Layout;
  readonly declared: Readonly<Record<string, FieldType>>;
  readonly address: string;
  /** The folder of the table. */
  readonly folder: string;
  readonly dimension: number;
  readonly metric: Metric;
  /** The marker last seen, also by the sink's `describe`. */
  readonly seen: { marker: CollectionMarker | undefined };
  readonly incarnation: string | undefined;
}

/** An open table. */
export class LanceCollection implements Collection {
  readonly limits = limits;
  readonly dimension: number;
  readonly #options: CollectionOptions;
  readonly #idColumn: string;
  readonly #durability: Durability;
  readonly #housekeeping: Housekeeping;
  /** Writes share it; what changes the whole table has it alone. */
  readonly #gate = new Gate(limits.concurrentWrites);
  readonly #inFlight = new Set<Promise<unknown>>();
  #incarnation: string | undefined;
  #closed = false;

  constructor(options: CollectionOptions) {
    this.#options = options;
    this.dimension = options.dimension;
    this.#idColumn = options.layout.find("id")?.name ?? "id";
    this.#incarnation = options.incarnation;
    this.#durability = new Durability(options.folder);
    this.#housekeeping = new Housekeeping(options.table);
  }

  sizeOf(operation: WriteOperation): number {
    return sizeOf(operation);
  }

  async write(operations: readonly WriteOperation[], signal: AbortSignal): Promise<WriteOutcome> {
    const { declared, address } = this.#options;
    const batch = prepare(operations, this.dimension, declared, address);
    await this.#completeColumns(signal);
    const failed = await this.#within(1, "written", signal, () => this.#apply(batch));
    if (this.#housekeeping.due) await this.#tidy(signal);
    return { failed };
  }

  /** Upserts, then deletes, then the sync that makes both durable. */
  async #apply({ upserts, deletes, failed }: Batch): Promise<WriteOutcome["failed"]> {
    const { native, table } = this.#options;
    const { columns } = await this.#liveSchema();
    if (upserts.length > 0) {
      const batch = encodeRecords(native, columns, this.dimension, upserts);
      await table
        .mergeInsert(this.#idColumn)
        .whenMatchedUpdateAll()
        .whenNotMatchedInsertAll()
        .execute(batch);
      this.#housekeeping.count(upserts.length);
    }
    const undeleted = await this.#delete(deletes, upserts.length > 0);
    if (upserts.length > 0 || deletes.length > 0) await this.#durability.sync();
    return undeleted === undefined
      ? failed
      : new Map([...failed, ...deletes.map((id) => [id, undeleted] as const)]);
  }

  /** Rejects, or gives the fault when the upserts before it took effect. */
  async #delete(ids: readonly string[], afterUpserts: boolean): Promise<Fault | undefined> {
    if (ids.length === 0) return undefined;
    try {
      await this.#options.table.delete(idsIn(this.#idColumn, ids));
      this.#housekeeping.count(ids.length);
      return undefined;
    } catch (error) {
      const fault = toFault(error, this.#failed("written"));
      if (afterUpserts && fault instanceof Fault) return fault;
      throw fault;
    }
  }

  async read(
    ids: readonly string[],
    options: { readonly vectors: boolean },
    signal: AbortSignal,
  ): Promise<readonly StoredRecord[]> {
    const unique = [...new Set(ids)];
    const records: StoredRecord[] = [];
    for (let start = 0; start < unique.length; start += idsPerQuery) {
      const where = idsIn(this.#idColumn, unique.slice(start, start + idsPerQuery));
      for await (const page of this.#query(where, isWanted(options.vectors), signal)) {
        records.push(...page);
      }
    }
    signal.throwIfAborted();
    return records;
  }

  async count(filter: Filter | undefined, signal: AbortSignal): Promise<number> {
    return this.#within(0, "read", signal, async () => {
      const where = this.#toSql(filter, await this.#liveSchema());
      return this.#options.table.countRows(where);
    });
  }

  async *scan(
    options: { readonly pipeline: string; readonly vectors?: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<readonly StoredRecord[]> {
    const column = this.#options.layout.find("pipeline")?.name ?? "pipeline";
    const where = `${quoteName(column)} = ${quoteText(options.pipeline)}`;
    const wanted = ({ column: { field } }: LiveColumn): boolean =>
      headerFields.has(field) || (field === "vector" && options.vectors === true);
    yield* this.#query(where, wanted, signal);
  }

  /** Pages of one snapshot of the table. */
  async *#query(
    where: string,
    wanted: (live: LiveColumn) => boolean,
    signal: AbortSignal,
  ): AsyncGenerator<StoredRecord[]> {
    const live = await this.#within(0, "read", signal, () => this.#liveSchema());
    const columns = live.columns.filter(wanted);
    const query = this.#options.table
      .query()
      .where(where)
      .select(columns.map(({ column }) => column.name));
    const batches = query[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#within(0, "read", signal, () => batches.next());
        if (next.done === true) return;
        const records = decodeBatch(next.value as unknown as Arrow.RecordBatch, columns);
        for (let start = 0; start < records.length; start += recordsPerPage) {
          yield records.slice(start, start + recordsPerPage);
        }
      }
    } finally {
      await batches.return?.();
    }
  }

  async search(request: SearchRequest, signal: AbortSignal): Promise<readonly SearchHit[]> {
    const { vector, k, filter } = request;
    const { table, metric, layout, address } = this.#options;
    if (vector.length !== this.dimension) {
      throw new Fault(
        "sink.dimension",
        `The query has ${vector.length} numbers, the collection ${address} has ${this.dimension}.`,
      );
    }
    return this.#within(0, "read", signal, async () => {
      const live = await this.#liveSchema();
      const columns = live.columns.filter(isWanted(false));
      const query = table
        .query()
        .nearestTo(vector)
        .column(layout.find("vector")?.name ?? "vector")
        .distanceType(metric === "euclidean" ? "l2" : metric)
        .limit(k)
        // Only matters where somebody made an index: exact distances for ten times as many candidates.
        .refineFactor(10)
        .select([...columns.map(({ column }) => column.name), "_distance"]);
      const where = this.#toSql(filter, live);
      if (where !== undefined) query.where(where);
      const hits: SearchHit[] = [];
      for await (const batch of query) {
        hits.push(...toHits(batch as unknown as Arrow.RecordBatch, columns, metric));
      }
      return hits.toSorted((left, right) => right.score - left.score);
    });
  }

  async setMarker(marker: CollectionMarker, signal: AbortSignal): Promise<void> {
    await this.#within(limits.concurrentWrites, "written", signal, async () => {
      const { table, seen } = this.#options;
      await this.#liveSchema();
      await writeMarker(table, this.#idColumn, marker, seen.marker);
      await this.#durability.sync();
      seen.marker = marker;
      this.#incarnation = marker.incarnation;
    });
  }

  async optimize(signal: AbortSignal): Promise<void> {
    await this.#within(limits.concurrentWrites, "optimised", signal, async () => {
      if (await this.#housekeeping.finish()) await this.#durability.sync();
    });
  }

  /** Waits for the calls in flight: the driver cannot close what it still uses. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#inFlight);
    this.#options.table.close();
  }

  /** Between writes. A compaction that fails costs speed only; if something is wrong, the next write says so. */
  async #tidy(signal: AbortSignal): Promise<void> {
    await this.#within(limits.concurrentWrites, "optimised", signal, async () => {
      if (this.#housekeeping.due && (await this.#housekeeping.look())) {
        await this.#durability.sync();
      }
    }).catch(() => undefined);
  }

  /** Adds the columns of fields that were declared after sluice made the table. */
  async #completeColumns(signal: AbortSignal): Promise<void> {
    const { missing } = await this.#within(0, "read", signal, () => this.#liveSchema());
    if (missing.length === 0) return;
    await this.#within(limits.concurrentWrites, "written", signal, async () => {
      const { native, table } = this.#options;
      const live = await this.#liveSchema();
      if (!live.ours || live.missing.length === 0) return;
      await table.addColumns(live.missing.map((column) => createField(native, column)));
    });
  }

  /** The schema as it is now. Rejects when the table is not the one that was opened. */
  async #liveSchema(): Promise<LiveSchema & { readonly ours: boolean }> {
    const { native, table, layout, address } = this.#options;
    const schema = await table.schema();
    const { marker, metric } = readMarks(schema, this.#idColumn, address);
    const ours = metric !== undefined;
    const live = readSchema(native, layout, schema, ours);
    this.#incarnation ??= marker?.incarnation;
    if (live.dimension !== this.dimension || marker?.incarnation !== this.#incarnation) {
      throw new Fault(
        "sink.missing",
        `The collection ${address} was deleted and made anew since it was opened. Run again.`,
      );
    }
    return { ...live, ours };
  }

  #toSql(filter: Filter | undefined, live: LiveSchema): string | undefined {
    if (filter === undefined || filter.length === 0) return undefined;
    const names = new Map(live.columns.map(({ column }) => [column.field, column.name]));
    return toSql(checkFilter(filter, this.#options.declared), (field) => names.get(field));
  }

  /** Runs a call of the driver with a share of the gate, and makes faults of its errors. */
  async #within<Result>(
    share: number,
    verb: FailedCall["verb"],
    signal: AbortSignal,
    call: () => Promise<Result>,
  ): Promise<Result> {
    signal.throwIfAborted();
    const leave = share === 0 ? undefined : await this.#gate.enter(share, signal);
    let running: Promise<Result> | undefined;
    try {
      if (this.#closed) throw new Fault("aborted", `The sink ${this.#options.address} is closed.`);
      running = call();
      this.#inFlight.add(running);
      return await running;
    } catch (error) {
      throw toFault(error, this.#failed(verb));
    } finally {
      if (running !== undefined) this.#inFlight.delete(running);
      leave?.();
    }
  }

  #failed(verb: FailedCall["verb"]): FailedCall {
    return { verb, address: this.#options.address, folder: this.#options.folder };
  }
}

const headerFields: ReadonlySet<string> = new Set([
  "id",
  "document",
  "source",
  "fingerprint",
  "revision",
  "pipeline",
]);

function isWanted(vectors: boolean): (live: LiveColumn) => boolean {
  return ({ column }) => vectors || column.type !== "vector";
}

function toHits(
  batch: Arrow.RecordBatch,
  columns: readonly LiveColumn[],
  metric: Metric,
): SearchHit[] {
  const distances = batch.getChild("_distance");
  return decodeBatch(batch, columns).map((record, row) => {
    const distance = Number(distances?.get(row));
    // Lance gives 1 - cosine, 1 - dot product, and the square of the euclidean distance.
    return { record, score: metric === "euclidean" ? -Math.sqrt(distance) : 1 - distance };
  });
}
