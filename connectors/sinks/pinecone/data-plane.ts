import type * as Sdk from "@pinecone-database/pinecone";
import { Fault } from "../../../src/faults/index.ts";
import type { PineconeClient } from "./client.ts";
import type { CallPurpose } from "./faults.ts";
import type { ServiceFilter } from "./filter.ts";
import { defaultNamespace, serviceLimits } from "./limits.ts";
import type { Failure, Reply } from "./wire.ts";

/** One page of ids, in the order of their bytes. */
export interface IdPage {
  readonly ids: readonly string[];
  readonly next: string | undefined;
}

/** What a search asks for. */
export interface Search {
  readonly vector: number[];
  readonly topK: number;
  readonly filter?: ServiceFilter;
  readonly includeMetadata: boolean;
}

export interface Match {
  readonly id: string;
  readonly score: number;
  /** Left out when it was not asked for, or when the record has none. */
  readonly metadata?: Sdk.RecordMetadata;
}

export interface DataPlaneOptions {
  readonly client: PineconeClient;
  readonly host: string;
  readonly namespace: string;
  /** Asks, after a failure, whether the index is still there: a fault that says that it is not, if so. */
  readonly findOut: (signal: AbortSignal) => Promise<Fault | "there" | "unknown">;
}

/**
 * The operations on the records of one namespace. Each is one request. An answer is understood within its call: what
 * cannot be is no answer of Pinecone's.
 */
export class DataPlane {
  readonly options: DataPlaneOptions;

  constructor(options: DataPlaneOptions) {
    this.options = options;
  }

  /** Writes records, all or none; gives the write's number in the namespace's log, if the service tells it. */
  async upsert(
    records: readonly Sdk.PineconeRecord[],
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const { lsn, text } = await this.#call(
      "written",
      (index) => index.upsert({ records: [...records] }),
      signal,
    );
    const body = JSON.parse(text) as { readonly upsertedCount?: number } | null;
    const count = body?.upsertedCount ?? 0;
    if (count === records.length) return lsn;
    throw new Fault(
      "sink.unreachable",
      `The collection ${this.options.client.address} cannot be written: Pinecone says that it took ${count} of ` +
        `${records.length} records. They are written again.`,
      { ambiguous: true },
    );
  }

  /** Deletes records by id. A namespace that is not there has none of them, and is no error. */
  async remove(ids: readonly string[], signal: AbortSignal): Promise<number | undefined> {
    const request = (sdk: Sdk.Pinecone): Promise<void> =>
      this.#index(sdk).deleteMany({ ids: [...ids] });
    try {
      const reply = await this.options.client.callUnless(isAbsence, "written", request, signal);
      return reply?.lsn;
    } catch (error) {
      if (!isDoubtful(error)) throw error;
      const found = await this.options.findOut(signal);
      if (found === "there" && error.code === "sink.missing") return undefined;
      throw found instanceof Fault ? found : error;
    }
  }

  /** Records by id, with values and metadata; the service can leave out neither. */
  async fetch(ids: readonly string[], signal: AbortSignal): Promise<readonly Sdk.PineconeRecord[]> {
    const read = async (index: Sdk.Index): Promise<readonly Sdk.PineconeRecord[]> => {
      const { records } = await index.fetch({ ids: [...ids] });
      return Object.values(records).map(({ id, values, metadata }) => ({
        id,
        ...(values === undefined ? {} : { values }),
        ...(metadata === undefined ? {} : { metadata }),
      }));
    };
    return (await this.#call("read", read, signal)).value;
  }

  /** Up to 100 ids that begin with the prefix. */
  async list(prefix: string, token: string | undefined, signal: AbortSignal): Promise<IdPage> {
    const options = {
      limit: serviceLimits.idsPerPage,
      ...(prefix === "" ? {} : { prefix }),
      ...(token === undefined ? {} : { paginationToken: token }),
    };
    const read = async (index: Sdk.Index): Promise<IdPage> => {
      const { vectors = [], pagination } = await index.listPaginated(options);
      const ids = vectors.flatMap(({ id }) => (id === undefined ? [] : [id]));
      return { ids, next: pagination?.next };
    };
    return (await this.#call("read", read, signal)).value;
  }

  /** How many records of one page meet a filter; a page holds `limit` at most. */
  async countPage(
    filter: ServiceFilter,
    options: { readonly limit: number; readonly token: string | undefined },
    signal: AbortSignal,
  ): Promise<{ readonly count: number; readonly next: string | undefined }> {
    const { limit, token } = options;
    const request = {
      filter,
      limit,
      ...(token === undefined ? {} : { paginationToken: token }),
    };
    const { value } = await this.#call("read", (index) => index.fetchByMetadata(request), signal);
    return { count: Object.keys(value.records).length, next: value.pagination?.next };
  }

  /** Matches, in whatever order the service gives them. */
  async query(search: Search, signal: AbortSignal): Promise<Reply<readonly Match[]>> {
    const read = async (index: Sdk.Index): Promise<readonly Match[]> => {
      const { matches } = await index.query(search);
      return matches.map(({ id, score = 0, metadata }) => {
        return { id, score, ...(metadata === undefined ? {} : { metadata }) };
      });
    };
    return this.#call("read", read, signal);
  }

  /** How many records the namespace has; and what the index tells of itself, as JSON. */
  async statistics(
    signal: AbortSignal,
  ): Promise<{ readonly records: number; readonly text: string }> {
    const { value, text } = await this.#call(
      "described",
      (index) => index.describeIndexStats(),
      signal,
    );
    const { namespaces = {} } = value;
    const { namespace } = this.options;
    // Older indexes call the default namespace by an empty name.
    const found =
      namespaces[namespace] ?? (namespace === defaultNamespace ? namespaces[""] : undefined);
    return { records: found?.recordCount ?? 0, text };
  }

  async #call<Value>(
    verb: CallPurpose["verb"],
    request: (index: Sdk.Index) => Promise<Value>,
    signal: AbortSignal,
  ): Promise<Reply<Value>> {
    const { client } = this.options;
    try {
      return await client.call(verb, (sdk) => request(this.#index(sdk)), signal);
    } catch (error) {
      const found = isDoubtful(error) ? await this.options.findOut(signal) : undefined;
      throw found instanceof Fault ? found : error;
    }
  }

  /** The host is always given: the client would keep the first one that it sees of an index's name. */
  #index(sdk: Sdk.Pinecone): Sdk.Index {
    const { host, namespace } = this.options;
    return sdk.index({ host, namespace });
  }
}

/** Whether the index may be gone. */
function isDoubtful(error: unknown): error is Fault {
  return error instanceof Fault && ["sink.unreachable", "sink.missing"].includes(error.code);
}

function isAbsence(failure: Failure): boolean {
  return failure.kind === "status" && failure.status === 404 && /namespace/i.test(failure.text);
}
