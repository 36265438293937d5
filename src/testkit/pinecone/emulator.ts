import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../contracts/index.ts";
import { systemClock } from "../../flow/index.ts";
import type { PineconeScript } from "./behaviour.ts";
import { checkNamespace } from "./check-record.ts";
import { controlPlane, controlRoutes } from "./control-plane.ts";
import { dataPlane, dataRoutes } from "./data-plane.ts";
import { type Conditions, IndexStore } from "./index-store.ts";
import { limits } from "./limits.ts";
import type { PineconeRecord } from "./record.ts";
import { Service } from "./service.ts";
import type { PineconeStats } from "./stats.ts";

export interface PineconeEmulatorOptions {
  /** Of the control plane; a free one when left out. Each index gets a free one besides. */
  readonly port?: number;
  /** The only key that is accepted; any when left out, though there must be one. */
  readonly apiKey?: string;
  /** How long after its acknowledgement reads see a write; at once when left out. */
  readonly visibilityDelayMs?: number;
  /** How long a new index is not ready; not at all when left out. */
  readonly readyDelayMs?: number;
  /** Give matches in another order than by score, as the service has been seen to do. */
  readonly unsortedMatches?: boolean;
  /** Time for all delays. */
  readonly clock?: Clock;
  readonly behaviour?: PineconeScript;
}

export interface PineconeEmulator {
  /** The control plane's address. An index's own is told by it. */
  readonly url: string;
  stats(): PineconeStats;
  /** Forgets the counts. */
  reset(): void;
  /** How requests are treated from now on; honestly when undefined. */
  behave(script: PineconeScript | undefined): void;
  /** How long reads do not see writes that are accepted from now on. */
  delayVisibility(milliseconds: number): void;
  /** Everything that was written and not deleted, seen by reads or not. */
  records(index: string, namespace?: string): ReadonlyMap<string, PineconeRecord>;
  /** Resolves when nothing that was told to land late is still under way. */
  landed(): Promise<void>;
  /** Closes all connections; may be called twice. */
  close(): Promise<void>;
}

/**
 * A local Pinecone on loopback ports, for tests: the control plane for indexes, and for each index the data plane that
 * serves vectors, with the service's limits, errors and delays. It speaks the APIs of 2026-04 and of 2026-07, as the
 * client asks. Nothing is kept when it closes. It has no pods, no nodes of one's own, no documents, no inference, no
 * collections, backups and imports.
 */
export async function startPineconeEmulator(
  options: PineconeEmulatorOptions = {},
): Promise<PineconeEmulator> {
  const emulator = new Emulator(options);
  const url = await emulator.listen(options.port ?? 0);
  return {
    url,
    stats: () => emulator.service.stats(),
    reset: () => emulator.service.reset(),
    behave: (script) => emulator.service.behave(script),
    delayVisibility: (milliseconds) => {
      emulator.conditions.visibilityDelayMs = milliseconds;
    },
    records: (index, namespace) => emulator.records(index, namespace),
    landed: () => emulator.service.landed(),
    close: () => emulator.close(),
  };
}

class Emulator {
  readonly service: Service;
  readonly conditions: Conditions;
  readonly #indexes = new Map<string, IndexStore>();
  readonly #servers = new Map<IndexStore | undefined, Server>();
  readonly #ending = new Set<Promise<void>>();

  constructor(options: PineconeEmulatorOptions) {
    this.conditions = {
      clock: options.clock ?? systemClock,
      visibilityDelayMs: options.visibilityDelayMs ?? 0,
      readyDelayMs: options.readyDelayMs ?? 0,
      unsortedMatches: options.unsortedMatches ?? false,
    };
    this.service = new Service(this.conditions.clock, options.apiKey, options.behaviour);
  }

  /** Starts the control plane. */
  listen(port: number): Promise<string> {
    const handlers = controlPlane(this.#indexes, {
      make: (definition) => new IndexStore(definition, this.conditions),
      open: (index) => this.#openData(index),
      close: (index) => this.#end(index),
    });
    const plane = { kind: "control", routes: controlRoutes, handlers } as const;
    return this.#open(undefined, port, (message, response) =>
      this.service.serve(plane, undefined, message, response),
    );
  }

  records(name: string, namespace: string | undefined): ReadonlyMap<string, PineconeRecord> {
    const index = this.#indexes.get(name);
    return new Map(index?.find(checkNamespace(namespace))?.durable);
  }

  async close(): Promise<void> {
    this.service.closing.abort();
    for (const index of this.#servers.keys()) this.#end(index);
    await this.service.landed();
    await Promise.all(this.#ending);
  }

  #openData(index: IndexStore): Promise<string> {
    const plane = { kind: "data", routes: dataRoutes, handlers: dataPlane(index) } as const;
    const { name } = index.definition;
    return this.#open(index, 0, (message, response) =>
      this.service.serve(plane, name, message, response),
    );
  }

  async #open(
    index: IndexStore | undefined,
    port: number,
    serve: (message: IncomingMessage, response: ServerResponse) => Promise<void>,
  ): Promise<string> {
    const settings = { keepAliveTimeout: 60_000, maxHeaderSize: limits.headerBytes };
    const server = createServer(settings, (message, response) => {
      serve(message, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    // Bound to a port, never to a pipe.
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#servers.set(index, server);
    // Closed while an index was being made.
    if (this.service.closing.signal.aborted) this.#end(index);
    return address;
  }

  #end(index: IndexStore | undefined): void {
    const server = this.#servers.get(index);
    if (server === undefined) return;
    this.#servers.delete(index);
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    this.#ending.add(ended);
  }
}
