import { MilvusClient } from "@zilliz/milvus2-sdk-node";

/** A client that is connected. One that cannot connect rejects here; left alone, it ends the process. */
export async function connectMilvus(address: string): Promise<MilvusClient> {
  const client = new MilvusClient({
    address,
    timeout: 60_000,
    maxRetries: 0,
    // With `NODE_ENV=test` it logs every request.
    logLevel: "error",
    // Clients of one process share connections, and with them the pause after a failed one.
    channelOptions: {
      "grpc.use_local_subchannel_pool": 1,
      // It pings all the time, also after its end, which Milvus Lite takes for an attack.
      "grpc.keepalive_permit_without_calls": 0,
    },
  });
  await client.connectPromise;
  return client;
}
