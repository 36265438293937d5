import { randomUUID } from "node:crypto";
import type { PortsOf } from "../../../scripts/servers/catalog.ts";
import { weaviateSink } from "../../../connectors/sinks/weaviate/index.ts";
import type { ConnectorContext, Sink } from "../../../src/contracts/index.ts";
import type { LawContext } from "../../../src/testkit/law.ts";
import type { SinkHarness, SinkPlace } from "../../../src/testkit/sink-harness.ts";
import { configureSink } from "../../support/configure-sink.ts";
import { openForwarder, type Forwarder } from "./forwarder.ts";
import { openRefusingProxy, type RefusingProxy } from "./weaviate-proxy.ts";

/** The ports of a server that tests need. */
export type WeaviatePorts = Pick<PortsOf<"weaviate">, "http" | "grpc">;

/** A collection of its own on a server. */
export interface WeaviatePlace extends SinkPlace {
  readonly collection: string;
  /** What stands between clients and server. */
  readonly rest: Forwarder;
  readonly grpc: RefusingProxy;
}

/** A name that no other test has. */
export function newCollection(): string {
  return `C${randomUUID().replaceAll("-", "")}`;
}

/** The keys that lead to a server. */
export function addressesOf({ http, grpc }: WeaviatePorts): Readonly<Record<string, string>> {
  return { url: `http://127.0.0.1:${http}`, grpc_url: `http://127.0.0.1:${grpc}` };
}

/** A sink as a pipeline makes it. */
export function makeWeaviateSink(
  config: Readonly<Record<string, unknown>>,
  context: Partial<ConnectorContext> = {},
): Sink {
  return configureSink(weaviateSink, config, context);
}

export interface RestAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Asks the REST API as a stranger would. */
export async function askWeaviate(
  { http }: Pick<WeaviatePorts, "http">,
  method: string,
  path: string,
  body?: unknown,
): Promise<RestAnswer> {
  const response = await fetch(`http://127.0.0.1:${http}/v1${path}`, {
    method,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

export interface HarnessOptions {
  /** More keys of the sinks. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Drops what the sinks call their collection, when that is not all of it. */
  readonly drop?: (collection: string) => Promise<void>;
}

/** The laws' harness over collections of a real server. */
export function weaviateHarness(
  ports: WeaviatePorts,
  { config = {}, drop }: HarnessOptions = {},
): SinkHarness<WeaviatePlace> {
  const dropAll = async (collection: string): Promise<void> => {
    await askWeaviate(ports, "DELETE", `/schema/${collection}`);
  };
  return {
    async place(context: LawContext) {
      const collection = newCollection();
      const rest = await openForwarder(`127.0.0.1:${ports.http}`);
      const grpc = await openRefusingProxy(ports.grpc);
      context.defer(async () => {
        await Promise.all([rest.close(), grpc.close()]);
        await dropAll(collection);
      });
      return {
        collection,
        rest,
        grpc,
        async connect(pipeline) {
          const url = `http://${rest.address}`;
          const addresses = { url, grpc_url: `http://${grpc.address}` };
          const sink = makeWeaviateSink({ ...addresses, collection, ...config }, { pipeline });
          context.defer(() => sink.close());
          return sink;
        },
      };
    },
    // Clients share nothing but the server.
    reopen: async () => {},
    drop: ({ collection }) => (drop ?? dropAll)(collection),
    reject: async ({ grpc }, ids) => grpc.refuse(ids),
    async disconnect({ rest, grpc }) {
      await Promise.all([rest.close(), grpc.close()]);
    },
    async foreign({ collection }) {
      await askWeaviate(ports, "POST", "/schema", {
        class: collection,
        vectorizer: "none",
        properties: [{ name: "key", dataType: ["int"] }],
      });
    },
  };
}
