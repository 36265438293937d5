import type {
  Collection,
  CollectionMarker,
  Filter,
  SearchHit,
  SearchRequest,
  SinkLimits,
  StoredRecord,
  VectorRecord,
  WriteOperation,
  WriteOutcome,
} from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { largestInt32, recordProblem } from "../../../src/records/check-record.ts";
import { deleteLast } from "../../../src/records/delete-last.ts";
import { recordRejected } from "../../../src/records/refusals.ts";
import { sortOperations } from "../../../src/records/sort-operations.ts";
import { weigh } from "../../../src/records/weigh.ts";
import { encodeColumns, encodeVectors } from "./encode.ts";
import { idsIn } from "./expression.ts";
import {
  inquire,
  LiveCollection,
  type CollectionOptions,
  type LiveNow,
} from "./live-collection.ts";
import { creationOf, markerProperties, mayBeShared } from "./marker.ts";
import { valueFor, type KeyValue } from "./messages.ts";
import { countRecords, readRecords, scanRecords, searchRecords } from "./reading.ts";
import { toRows } from "./rows.ts";

/** How long a request may be on its way, and the server take to notice that nobody waits for it any more. */
const slackMs = 10_000;

/** Longer than a server takes to change the properties of a collection. */
const changeMs = 500;

/** An open collection. */
export class MilvusCollection implements Collection {
  readonly limits: SinkLimits;
  readonly dimension: number;
  readonly #live: LiveCollection;

  constructor(options: CollectionOptions) {
    this.dimension = options.dimension;
    this.#live = new LiveCollection(options);
    this.limits = {
      operationsPerWrite: 1_000,
      // An eighth of what the server takes: larger requests cost memory and gain nothing.
      bytesPerWrite: 8 * 1024 * 1024,
      concurrentWrites: 2,
      // The server gets the deadline with the request and does not begin after it.
      writeHorizonMs: options.wire.timeoutMs + slackMs,
    };
  }

  sizeOf(operation: WriteOperation): number {
    return weigh(operation);
  }

  /** Upserts, then deletes; each is one request, which takes effect as a whole or not at all. */
  async write(operations: readonly WriteOperation[], signal: AbortSignal): Promise<WriteOutcome> {
    signal.throwIfAborted();
    const { address, declared } = this.#live.options;
    const { upserts, deletes, ...sorted } = sortOperations(operations, {
      dimension: this.dimension,
      address,
      problemOf: (record) => recordProblem(record, declared, largestInt32),
    });
    const failed = new Map(sorted.failed);
    if (upserts.length + deletes.length === 0) return { failed };
    const live = await this.#live.now(signal);
    const { rows, problems } = toRows(upserts, live);
    for (const [record, problem] of problems) {
      failed.set(record.id, recordRejected(record, problem));
    }
    if (rows.length > 0) {
      const columns = encodeColumns(live, rows);
      const records = rows.map(({ record }) => record);
      for (const id of await this.#upsert(live, columns, records, signal)) {
        failed.set(id, this.#refused(id));
      }
    }
    const undeleted = await deleteLast(deletes, { upserted: rows.length > 0, signal }, () =>
      this.#delete(deletes, signal),
    );
    return { failed: new Map([...failed, ...undeleted]) };
  }

  /** Gives the ids that the server names as not written. */
  async #upsert(
    live: LiveNow,
    columns: object,
    records: readonly VectorRecord[],
    signal: AbortSignal,
  ): Promise<string[]> {
    const { vector } = live;
    if (vector === undefined) throw new TypeError("A collection without vectors was opened.");
    const extra = encodeVectors(vector, this.dimension, records);
    const call = { verb: "written", ambiguous: true, signal, extra } as const;
    const { err_index: failed } = await this.#live.call("Upsert", columns, call);
    return failed.flatMap((index) => records[index]?.id ?? []);
  }

  async #delete(ids: readonly string[], signal: AbortSignal): Promise<WriteOutcome["failed"]> {
    const expr = idsIn(this.#live.key, ids);
    await this.#live.call("Delete", { expr }, { verb: "written", ambiguous: true, signal });
    return new Map();
  }

  async read(
    ids: readonly string[],
    options: { readonly vectors: boolean },
    signal: AbortSignal,
  ): Promise<readonly StoredRecord[]> {
    signal.throwIfAborted();
    return readRecords(this.#live, [...new Set(ids)], options.vectors, signal);
  }

  count(filter: Filter | undefined, signal: AbortSignal): Promise<number> {
    return countRecords(this.#live, filter, signal);
  }

  scan(
    { pipeline, vectors = false }: { readonly pipeline: string; readonly vectors?: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<readonly StoredRecord[]> {
    return scanRecords(this.#live, pipeline, vectors, signal);
  }

  search(request: SearchRequest, signal: AbortSignal): Promise<readonly SearchHit[]> {
    return searchRecords(this.#live, request, signal);
  }

  /**
   * Reads back what it wrote. A server that took properties without keeping them would lose the marker; and of two
   * changes at one moment Milvus 2.3 keeps one, so who is not alone looks again when the other one must be through.
   */
  async setMarker(marker: CollectionMarker, signal: AbortSignal): Promise<void> {
    const { seen, clock } = this.#live.options;
    const before = (await this.#live.now(signal)).properties;
    const properties = markerProperties(marker, seen.marker);
    const call = { verb: "written", ambiguous: true, signal } as const;
    // Up to 2.3.5, the server forgets the last change when it starts again, and only that one
    // (https://github.com/milvus-io/milvus/issues/30144): a second change, to the same, makes the first one last.
    for (let time = 0; time < 2; time += 1) {
      await this.#live.call("AlterCollection", { properties }, call);
    }
    await this.#checkKept(properties, signal);
    if (mayBeShared(properties, before)) {
      await clock.sleep(changeMs, signal);
      await this.#checkKept(properties, signal);
    }
    this.#live.marked(marker);
  }

  async #checkKept(properties: readonly KeyValue[], signal: AbortSignal): Promise<void> {
    const { wire, name, address } = this.#live.options;
    const kept = (await inquire(wire, name, address, signal))?.properties ?? [];
    const lost = properties.filter(({ key, value }) => valueFor(kept, key) !== value);
    if (lost.length === 0) return;
    if (lost.length < properties.length || creationOf(kept) !== undefined) {
      throw new Fault(
        "sink.conflict",
        `The marker of ${address} was changed by another pipeline at the same moment.`,
      );
    }
    throw new Fault(
      "sink.foreign",
      `The collection ${address} does not keep its properties, in which sluice keeps its marker. Use a server of ` +
        "Milvus 2.3 or later.",
    );
  }

  #refused(id: string): Fault {
    return new Fault(
      "sink.rejected",
      `The server did not store record \`${id}\` in ${this.#live.options.address}, and does not say why.`,
    );
  }
}
