import { Fault, isFault } from "../../../src/faults/index.ts";
import type { PineconeClient } from "./client.ts";
import type { PineconeConfig } from "./config.ts";
import { describeFilterable, describeIndex, requireReady } from "./control-plane.ts";
import { DataPlane } from "./data-plane.ts";
import { markerNamespace } from "./limits.ts";
import { type LiveIndex, readIndexModel, readStatistics } from "./live-index.ts";
import { MarkerStore } from "./marker.ts";

/** The ways to one namespace: to its index, its records and its marker. */
export class Connection {
  readonly client: PineconeClient;
  readonly config: PineconeConfig;

  constructor(client: PineconeClient, config: PineconeConfig) {
    this.client = client;
    this.config = config;
  }

  /** The index as it is now; undefined when there is none. Rejects when it is not ready. */
  async lookUp(signal: AbortSignal): Promise<LiveIndex | undefined> {
    const host = this.#configuredHost;
    if (host !== undefined) {
      const { text } = await this.records(host).statistics(signal);
      return readStatistics(host, text);
    }
    const model = await describeIndex(this.client, this.config.index, signal);
    if (model === undefined) return undefined;
    requireReady(model, this.client.address);
    return readIndexModel(model);
  }

  /** The metadata keys that filters can name; undefined when all can be. */
  async filterable(
    { host, filterable }: LiveIndex,
    signal: AbortSignal,
  ): Promise<ReadonlySet<string> | undefined> {
    const { namespace } = this.config;
    return (await describeFilterable(this.client, host, namespace, signal)) ?? filterable;
  }

  records(host: string): DataPlane {
    return this.#plane(host, this.config.namespace);
  }

  marker(host: string, dimension: number): MarkerStore {
    return new MarkerStore({
      plane: this.#plane(host, markerNamespace),
      namespace: this.config.namespace,
      dimension,
      limitMs: this.config.visibility_timeout_ms,
    });
  }

  #plane(host: string, namespace: string): DataPlane {
    return new DataPlane({
      client: this.client,
      host,
      namespace,
      findOut: (signal) => this.#findOut(host, signal),
    });
  }

  /** Asks the control plane whether the index is still the one at this host. */
  async #findOut(host: string, signal: AbortSignal): Promise<Fault | "there" | "unknown"> {
    if (this.#configuredHost !== undefined) return "unknown";
    try {
      const model = await describeIndex(this.client, this.config.index, signal);
      const live = model === undefined ? undefined : readIndexModel(model);
      if (live?.host === host) return "there";
      const what = live === undefined ? "was deleted" : "was deleted and made anew";
      return new Fault(
        "sink.missing",
        `The collection ${this.client.address} ${what} since it was opened. Run again.`,
      );
    } catch (error) {
      if (signal.aborted || !isFault(error)) throw error;
      return "unknown";
    }
  }

  get #configuredHost(): string | undefined {
    return this.config.host?.replace(/\/$/, "");
  }
}
