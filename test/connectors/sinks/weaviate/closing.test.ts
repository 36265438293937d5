import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, it, onTestFinished, vi } from "vitest";
import { startFakeServer } from "./fake-server.ts";
import { makeSink } from "./make-sink.ts";
import { faultOf, openFake, upserts } from "./open-fake.ts";

const signal = new AbortController().signal;

it("a write under way when the sink is closed may have been done, one after it is not sent", async () => {
  const { collection, sink, server } = await openFake({
    grpc: (method) => (method === "BatchObjects" ? "hang" : undefined),
  });
  const writing = faultOf(collection.write(upserts(2), signal));
  await vi.waitFor(() => expect(server.calls.at(-1)?.method).toBe("BatchObjects"));
  await sink.close();
  expect(await writing).toMatchObject({ code: "aborted", ambiguous: true });
  const before = server.calls.length + server.requests.length;
  for (const call of [
    () => collection.write(upserts(2), signal),
    () => collection.count(undefined, signal),
    () => sink.describe(signal),
    () => sink.check(signal),
  ]) {
    expect(await faultOf(call())).toMatchObject({ code: "aborted", ambiguous: false });
  }
  expect(server.calls.length + server.requests.length).toBe(before);
});

it("a read under way when the sink is closed leaves nothing open", async () => {
  const { collection, sink, server } = await openFake({ grpc: () => "hang" });
  const counting = faultOf(collection.count(undefined, signal));
  await vi.waitFor(() => expect(server.calls.length).toBeGreaterThan(1));
  await sink.close();
  expect(await counting).toMatchObject({ code: "aborted", ambiguous: false });
});

it("a sink that waits for a connection is closed at once", async () => {
  const { addresses, requests } = await startFakeServer();
  const sockets: Socket[] = [];
  const hole = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
  });
  hole.listen(0, "127.0.0.1");
  await once(hole, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    hole.close();
  });
  const grpc_url = `http://127.0.0.1:${(hole.address() as AddressInfo).port}`;
  const sink = makeSink({ ...addresses, grpc_url, collection: "Handbook" });
  const describing = faultOf(sink.describe(signal));
  await vi.waitFor(() => expect(sockets).toHaveLength(1));
  expect(requests).toEqual(["GET /meta"]);
  const started = performance.now();
  await sink.close();
  expect(await describing).toMatchObject({ code: "aborted" });
  // Connecting may take ten seconds.
  expect(performance.now() - started).toBeLessThan(5_000);
});
