import { once } from "node:events";
import { createServer, type Server } from "node:net";

/**
 * Below the ports that systems give to outgoing connections: there, a client that tries to reach a server which is
 * down can be given the server's own port, and then talks to itself, and the server cannot come back.
 */
const lowest = 10_240;
const highest = 32_000;
const attempts = 200;

/** As many ports that nobody listens on, on any interface. They stay free only as long as nobody else takes them. */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  const ports: number[] = [];
  try {
    for (let attempt = 0; ports.length < count; attempt += 1) {
      if (attempt === attempts) throw new Error(`Found no ${count} free ports.`);
      const port = lowest + Math.floor(Math.random() * (highest - lowest));
      const server = await listenAt(port);
      if (server === undefined) continue;
      held.push(server);
      ports.push(port);
    }
    return ports;
  } finally {
    for (const server of held) server.close();
    await Promise.all(held.map((server) => once(server, "close")));
  }
}

async function listenAt(port: number): Promise<Server | undefined> {
  const server = createServer();
  server.listen({ port, host: "0.0.0.0", exclusive: true });
  return once(server, "listening").then(
    () => server,
    () => undefined,
  );
}
