import { join } from "node:path";
import { installGoProgram } from "./go.ts";
import { grpcCall } from "./grpc-call.ts";
import { numberInField } from "./protobuf.ts";
import type { ServerKind } from "./server-kind.ts";

const version = "1.39.0";
const portNames = ["http", "grpc", "gossip", "data", "raft", "raftRpc"] as const;

/**
 * The real Weaviate, built from source. What a client calls over gRPC, and the data port of its cluster, listen on
 * all interfaces, which cannot be changed; everything else on 127.0.0.1 only.
 */
export const weaviate: ServerKind<(typeof portNames)[number]> = {
  name: "weaviate",
  version,
  portNames,
  program: "bin/weaviate-server",
  installTakes: "5 to 10 minutes",
  stopSignal: "SIGTERM",

  async install(folder) {
    const module = `github.com/weaviate/weaviate/cmd/weaviate-server@v${version}`;
    await installGoProgram(folder, { module, oldestGo: "1.26" });
  },

  async launch({ installed, scratch, ports }) {
    const listen = ["--host", "127.0.0.1", "--port", String(ports.http)];
    return {
      program: join(installed, "bin/weaviate-server"),
      args: ["--scheme", "http", ...listen],
      environment: {
        AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED: "true",
        AUTOSCHEMA_ENABLED: "false",
        DEFAULT_VECTORIZER_MODULE: "none",
        DISABLE_TELEMETRY: "true",
        ENABLE_MODULES: "",
        GO_PROFILING_DISABLE: "true",
        LOG_LEVEL: "info",
        PERSISTENCE_DATA_PATH: join(scratch, "data"),
        QUERY_MAXIMUM_RESULTS: "10000",
        GRPC_PORT: String(ports.grpc),
        CLUSTER_HOSTNAME: "only",
        // Not `CLUSTER_IN_LOCALHOST`, which guesses other ports from this one.
        CLUSTER_BIND_ADDR: "127.0.0.1",
        CLUSTER_ADVERTISE_ADDR: "127.0.0.1",
        CLUSTER_GOSSIP_BIND_PORT: String(ports.gossip),
        CLUSTER_DATA_BIND_PORT: String(ports.data),
        RAFT_PORT: String(ports.raft),
        RAFT_INTERNAL_RPC_PORT: String(ports.raftRpc),
        RAFT_BOOTSTRAP_EXPECT: "1",
        // A cluster of one elects itself in 2 s instead of 10.
        RAFT_TIMEOUTS_MULTIPLIER: "1",
      },
    };
  },

  async ready({ ports }, signal) {
    const url = `http://127.0.0.1:${ports.http}/v1/.well-known/ready`;
    const { status } = await fetch(url, { signal });
    if (status !== 200) throw new Error(`Weaviate answers with ${status}.`);
    const answer = await grpcCall(ports.grpc, "/grpc.health.v1.Health/Check", signal);
    const servingStatus = 1;
    if (numberInField(answer, servingStatus) !== 1) throw new Error("Weaviate serves no gRPC yet.");
  },

  address: ({ http }) => `http://127.0.0.1:${http}`,
};
