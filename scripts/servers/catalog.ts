import { llamaCpp } from "./llama-cpp.ts";
import { milvusLite } from "./milvus-lite.ts";
import { milvus } from "./milvus.ts";
import { redis } from "./redis.ts";
import type { Ports, ServerKind } from "./server-kind.ts";
import { toxiproxy } from "./toxiproxy.ts";
import { weaviate } from "./weaviate.ts";

/** Every server that the tests can have. */
export const serverKinds = {
  "milvus-lite": milvusLite,
  milvus,
  weaviate,
  toxiproxy,
  redis,
  "llama-cpp": llamaCpp,
} as const;

export type ServerName = keyof typeof serverKinds;

/** What a server's ports are for. */
export type PortOf<Name extends ServerName> =
  (typeof serverKinds)[Name] extends ServerKind<infer Port> ? Port : never;

export type PortsOf<Name extends ServerName> = Ports<PortOf<Name>>;

export const serverNames = Object.keys(serverKinds) as readonly ServerName[];

export function isServerName(name: string): name is ServerName {
  return Object.hasOwn(serverKinds, name);
}
