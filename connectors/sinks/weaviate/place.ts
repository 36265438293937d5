import type { WeaviateConfig } from "./config.ts";

/** Where a collection is. */
export interface Place {
  /** The address of the REST API, without `/v1`. */
  readonly restUrl: string;
  /** Scheme, host and port of the gRPC API. */
  readonly grpcOrigin: string;
  /** The collection or alias as configured, as Weaviate writes it. */
  readonly collection: string;
  readonly tenant: string | undefined;
  /** For people and messages. */
  readonly shown: string;
}

/** Reads the addresses of a configuration. */
export function placeOf(config: WeaviateConfig): Place {
  const rest = new URL(config.url);
  const restUrl = `${rest.origin}${rest.pathname.replace(/\/+$/, "")}`;
  const grpcOrigin =
    config.grpc_url === undefined ? defaultGrpc(rest) : new URL(config.grpc_url).origin;
  const collection = `${config.collection.slice(0, 1).toUpperCase()}${config.collection.slice(1)}`;
  const { tenant } = config;
  const ofTenant = tenant === undefined ? "" : `, tenant \`${tenant}\`,`;
  return {
    restUrl,
    grpcOrigin,
    collection,
    tenant,
    shown: `\`${collection}\`${ofTenant} at ${restUrl}`,
  };
}

/** Weaviate Cloud has a host of its own for gRPC; other servers have a port. */
function defaultGrpc({ protocol, hostname }: URL): string {
  if (/\.weaviate\.(?:cloud|io|network)$/.test(hostname)) return `https://grpc-${hostname}`;
  return `${protocol}//${hostname}:50051`;
}
