import type { Clock, CollectionMarker, FieldType, Metric } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import type { Layout } from "../../../src/records/layout.ts";
import type { Doing } from "./faults.ts";
import { creationOf, readMarker } from "./marker.ts";
import type { Answers, CollectionInfo, KeyValue, Method } from "./messages.ts";
import { readSchema, type LiveSchema, type Place } from "./schema.ts";
import type { Wire } from "./wire.ts";

/** What a collection needs to know of its sink. */
export interface CollectionOptions {
  readonly wire: Wire;
  /** The collection's name, or its alias. */
  readonly name: string;
  readonly layout: Layout;
  readonly declared: Readonly<Record<string, FieldType>>;
  readonly pipeline: string;
  readonly clock: Clock;
  readonly address: string;
  readonly dimension: number;
  readonly metric: Metric;
  /** The type of the index on the vectors. */
  readonly indexType: string;
  /** Which collection was opened. */
  readonly identity: string;
  /** Rows may lie in other partitions than those of their partition keys. */
  readonly scattered: boolean;
  /** The marker last seen, also by the sink's `describe`. */
  readonly seen: { marker: CollectionMarker | undefined };
}

/** What a collection is at the moment. */
export interface LiveNow extends LiveSchema {
  readonly properties: readonly KeyValue[];
}

/** The server did not do what it was asked when it says that there is no such collection. */
const noSuchCollection = 100;

/** Which one of all collections that ever had the name it is. Milvus Lite gives no ids, only properties. */
export function identityOf({
  collectionID,
  created_timestamp,
  properties,
}: CollectionInfo): string {
  return [collectionID, created_timestamp, creationOf(properties) ?? ""].join("/");
}

/** Asks what a collection is; undefined when it does not exist. */
export async function inquire(
  wire: Wire,
  name: string,
  address: string,
  signal: AbortSignal,
): Promise<CollectionInfo | undefined> {
  const answer = await wire.call(
    "DescribeCollection",
    { collection_name: name },
    { signal, verb: "read", address, expected: [noSuchCollection] },
  );
  return answer.status.code === noSuchCollection ? undefined : answer;
}

/** The open collection with what every call on it needs: its name, live truth, and messages. */
export class LiveCollection {
  readonly options: CollectionOptions;
  /** The name of the primary key. */
  readonly key: string;
  #incarnation: string | undefined;

  constructor(options: CollectionOptions) {
    this.options = options;
    this.key = options.layout.find("id")?.name ?? "id";
    this.#incarnation = options.seen.marker?.incarnation;
  }

  /** The collection as it is now. Rejects when it is not the one that was opened, or does not fit any more. */
  async now(signal: AbortSignal): Promise<LiveNow> {
    const { wire, name, layout, pipeline, address, dimension, identity, scattered } = this.options;
    const info = await inquire(wire, name, address, signal);
    if (info === undefined) {
      throw new Fault(
        "sink.missing",
        `The collection ${address} does not exist any more. Run again to create it.`,
      );
    }
    const marker = readMarker(info.properties, address);
    this.#incarnation ??= marker?.incarnation;
    const live = readSchema({ schema: info.schema, layout, pipeline });
    const isSame = identityOf(info) === identity && marker?.incarnation === this.#incarnation;
    if (!isSame || live.dimension !== dimension) {
      throw new Fault(
        "sink.missing",
        `The collection ${address} was dropped and made anew since it was opened. Run again.`,
      );
    }
    if (live.misfits.length > 0) {
      throw new Fault(
        "sink.foreign",
        `The collection ${address} was changed since it was opened: ${live.misfits.join(" ")}`,
      );
    }
    const places = scattered ? live.places.map((place) => asScattered(place)) : live.places;
    return { ...live, places, properties: info.properties };
  }

  /** From now on the collection is the one with this marker. */
  marked(marker: CollectionMarker): void {
    this.options.seen.marker = marker;
    this.#incarnation = marker.incarnation;
  }

  /** A call about the collection. */
  call<Name extends Method>(
    method: Name,
    request: object,
    call: Pick<Doing, "verb" | "ambiguous"> & {
      readonly signal: AbortSignal;
      readonly extra?: Uint8Array;
    },
  ): Promise<Answers[Name]> {
    const { wire, name, address } = this.options;
    return wire.call(method, { collection_name: name, ...request }, { ...call, address });
  }
}

function asScattered(place: Place): Place {
  return place.kind === "field" && place.field.is_partition_key
    ? { ...place, scattered: true }
    : place;
}
