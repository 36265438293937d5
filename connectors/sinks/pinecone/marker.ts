import type * as Sdk from "@pinecone-database/pinecone";
import type { CollectionMarker } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { isSameMark, markChanges } from "../../../src/records/marker.ts";
import type { DataPlane } from "./data-plane.ts";
import { unitVector } from "./freshness.ts";
import { poll } from "./poll.ts";
import {
  decodeMarks,
  encodeHead,
  encodePipeline,
  encodeWritten,
  markerIds,
  type MarkerEntry,
  markerPrefix,
  type NamespaceMarks,
} from "./marker-records.ts";
import { fetchRecords, listIds } from "./reading.ts";

export interface MarkerStoreOptions {
  /** The namespace that holds markers, in the index that they are about. */
  readonly plane: DataPlane;
  /** The namespace that the marker is about. */
  readonly namespace: string;
  /** The index's. */
  readonly dimension: number;
  /** How long a marker may take until it can be read. */
  readonly limitMs: number;
}

/**
 * Keeps the marker of one namespace, in records of another (see docs/decisions/pinecone-marker.md): one for each
 * pipeline, so that two pipelines that mark at one moment do not undo each other.
 */
export class MarkerStore {
  readonly #options: MarkerStoreOptions;
  readonly #prefix: string;

  constructor(options: MarkerStoreOptions) {
    this.#options = options;
    this.#prefix = markerPrefix(options.namespace);
  }

  async read(signal: AbortSignal): Promise<NamespaceMarks> {
    const { plane, dimension } = this.#options;
    const ids = await listIds(plane, this.#prefix, signal);
    const entries: MarkerEntry[] = [];
    for await (const group of fetchRecords(plane, ids, dimension, signal)) {
      entries.push(...group.map((record) => this.#toEntry(record)));
    }
    return decodeMarks(entries, this.#address);
  }

  /** The incarnation that the marker names now; undefined when there is none. */
  async incarnation(signal: AbortSignal): Promise<string | undefined> {
    const records = await this.#options.plane.fetch([this.#prefix + markerIds.head], signal);
    return decodeIncarnation(records[0]);
  }

  /**
   * Writes a marker; resolves when reads see it. `written` notes that there are records, or that there are none any
   * more.
   */
  async replace(
    marker: CollectionMarker,
    {
      seen,
      written,
    }: {
      readonly seen: CollectionMarker | undefined;
      readonly written: boolean | "as it is";
    },
    signal: AbortSignal,
  ): Promise<void> {
    const { changed, gone } = markChanges(marker, seen);
    const entries = [
      ...encodeHead(marker),
      ...changed.map(([name, mark]) => encodePipeline(marker.incarnation, name, mark)),
      ...(written === true ? [encodeWritten(marker.incarnation)] : []),
    ];
    await this.#put(entries, signal);
    const ids = [
      ...gone.map((name) => markerIds.pipeline(name)),
      ...(written === false ? [markerIds.written] : []),
    ];
    if (ids.length > 0) {
      await this.#options.plane.remove(
        ids.map((id) => this.#prefix + id),
        signal,
      );
    }
    await this.#waitFor(marker, { changed: changed.map(([name]) => name), gone }, signal);
  }

  /** Notes, before the first record of an incarnation is written, that there may be records. */
  async noteWritten(incarnation: string, signal: AbortSignal): Promise<void> {
    await this.#put([encodeWritten(incarnation)], signal);
  }

  async #put(entries: readonly MarkerEntry[], signal: AbortSignal): Promise<void> {
    const values = unitVector(this.#options.dimension);
    const records = entries.map(({ id, metadata }) => ({
      id: this.#prefix + id,
      values,
      metadata,
    }));
    await this.#options.plane.upsert(records, signal);
  }

  async #waitFor(
    marker: CollectionMarker,
    names: WrittenNames,
    signal: AbortSignal,
  ): Promise<void> {
    const { plane, limitMs } = this.#options;
    let live: CollectionMarker | undefined;
    const seen = await poll(plane.options.client.clock, limitMs, signal, async () => {
      live = (await this.read(signal)).marker;
      return isWritten(marker, live, names);
    });
    if (seen) return;
    const other = live !== undefined && live.incarnation !== marker.incarnation;
    throw new Fault(
      other ? "sink.conflict" : "sink.not-ready",
      other
        ? `The collection ${this.#address} was marked by another process at the same moment.`
        : `The marker of ${this.#address} was written, but cannot be read after ${limitMs} ms. Run again, or raise ` +
            "`visibility_timeout_ms`.",
      { ambiguous: true },
    );
  }

  get #address(): string {
    return this.#options.plane.options.client.address;
  }

  #toEntry({ id, metadata = {} }: Sdk.PineconeRecord): MarkerEntry {
    return { id: id.slice(this.#prefix.length), metadata };
  }
}

/** The pipelines whose marks were written, and removed. */
interface WrittenNames {
  readonly changed: readonly string[];
  readonly gone: readonly string[];
}

/** Whether what was written of a marker can be read. */
function isWritten(
  marker: CollectionMarker,
  live: CollectionMarker | undefined,
  { changed, gone }: WrittenNames,
): boolean {
  return (
    live !== undefined &&
    sharedPart(live) === sharedPart(marker) &&
    changed.every((name) => isSameMark(live.pipelines[name], marker.pipelines[name])) &&
    gone.every((name) => !Object.hasOwn(live.pipelines, name))
  );
}

function sharedPart({ version, incarnation, space, dimension, probe }: CollectionMarker): string {
  return JSON.stringify([version, incarnation, space.hash, space.model, dimension, probe]);
}

function decodeIncarnation(record: Sdk.PineconeRecord | undefined): string | undefined {
  const incarnation = record?.metadata?.["incarnation"];
  return typeof incarnation === "string" ? incarnation : undefined;
}
