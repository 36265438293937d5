import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A port on 127.0.0.1 behind which a server stands, until it is cut off. */
export interface Forwarder {
  /** Host and port. */
  readonly address: string;
  /** Ends all connections and takes no more. */
  close(): Promise<void>;
}

/** Forwards connections to a server, by its host and port. */
export async function openForwarder(upstream: string): Promise<Forwarder> {
  const [host = "", port = ""] = upstream.split(":");
  const sockets = new Set<Socket>();
  const server = createServer((inside) => {
    const outside = connect(Number(port), host);
    for (const socket of [inside, outside]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        inside.destroy();
        outside.destroy();
      });
    }
    inside.pipe(outside).pipe(inside);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address,
    async close() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
