import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { Wire } from "./support/wire.ts";

const small = Buffer.alloc(100, "s");
const write = Buffer.alloc(10_000, "w");

/** A server that says back what it hears, behind a wire. */
async function openEcho(): Promise<{ readonly wire: Wire; readonly heard: () => number }> {
  let heard = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket
      .on("error", () => {})
      .on("data", (bytes) => {
        heard += bytes.length;
        socket.write(bytes);
      });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const wire = await Wire.open((server.address() as AddressInfo).port);
  onTestFinished(async () => {
    await wire.close();
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return { wire, heard: () => heard };
}

/** A client that counts what it is told, and knows how its connection ended. */
async function openClient({ port }: Wire) {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  const client = { socket, told: 0, end: "" };
  socket.on("data", ({ length }) => (client.told += length));
  socket.on("error", (error) => (client.end = "code" in error ? String(error.code) : "error"));
  socket.on("close", () => (client.end ||= "closed"));
  await once(socket, "connect");
  return client;
}

test("a wire passes everything until it is broken, and again when it is mended", async () => {
  const { wire } = await openEcho();
  const client = await openClient(wire);
  client.socket.write(write);
  await vi.waitFor(() => expect(client.told).toBe(write.length));
  wire.break({ kind: "refuse" });
  await vi.waitFor(() => expect(client.end).toBe("ECONNRESET"));
  await expect(openClient(wire)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await wire.mend();
  const next = await openClient(wire);
  next.socket.write(write);
  await vi.waitFor(() => expect(next.told).toBe(write.length));
});

test("a reset lets a part of a write arrive, and is seen by the client", async () => {
  const { wire, heard } = await openEcho();
  const client = await openClient(wire);
  wire.breakNextWrite({ kind: "reset" });
  client.socket.write(small);
  await vi.waitFor(() => expect(client.told).toBe(small.length));
  client.socket.write(write);
  await vi.waitFor(() => expect(client.end).toBe("ECONNRESET"));
  expect(heard()).toBeLessThan(small.length + write.length);
  expect(wire.struck).toBeGreaterThan(0);
});

test("a black hole says nothing, and nothing arrives", async () => {
  const { wire, heard } = await openEcho();
  const client = await openClient(wire);
  wire.break({ kind: "black-hole" });
  client.socket.write(write);
  await vi.waitFor(() => expect(wire.struck).toBe(1));
  expect([heard(), client.told, client.end]).toEqual([0, 0, ""]);
});

test("a lost answer is one to what has arrived", async () => {
  const { wire, heard } = await openEcho();
  const client = await openClient(wire);
  wire.break({ kind: "lost-answer" });
  client.socket.write(write);
  await vi.waitFor(() => expect(client.end).toBe("ECONNRESET"));
  expect([heard(), client.told]).toEqual([write.length, 0]);
});

test("a late answer and a slow close take their time", async () => {
  const { wire, heard } = await openEcho();
  const client = await openClient(wire);
  const started = performance.now();
  wire.break({ kind: "latency", ms: 200 });
  client.socket.write(small);
  await vi.waitFor(() => expect(client.told).toBe(small.length));
  expect(performance.now() - started).toBeGreaterThan(190);
  wire.break({ kind: "slow-close", ms: 200 });
  client.socket.write(small);
  await vi.waitFor(() => expect(client.end).toBe("closed"));
  expect(performance.now() - started).toBeGreaterThan(380);
  expect(heard()).toBe(small.length);
});

test("what is late arrives when its client is long gone, and what is no write at once", async () => {
  const { wire, heard } = await openEcho();
  const client = await openClient(wire);
  wire.break({ kind: "late" });
  client.socket.write(small);
  await vi.waitFor(() => expect(client.told).toBe(small.length));
  client.socket.write(write);
  await vi.waitFor(() => expect(wire.struck).toBe(1));
  client.socket.destroy();
  await wire.mend();
  const next = await openClient(wire);
  next.socket.write(small);
  await vi.waitFor(() => expect(next.told).toBe(small.length));
  expect(heard()).toBe(2 * small.length);
  expect(wire.land()).toBe(true);
  await vi.waitFor(() => expect(heard()).toBe(2 * small.length + write.length));
  expect(wire.land()).toBe(false);
});

test("what is held arrives when it is let go, and is answered", async () => {
  const { wire, heard } = await openEcho();
  const client = await openClient(wire);
  wire.break({ kind: "hold" });
  client.socket.write(write);
  await vi.waitFor(() => expect(wire.struck).toBeGreaterThan(0));
  expect(heard()).toBe(0);
  await wire.mend();
  await vi.waitFor(() => expect(client.told).toBe(write.length));
});
