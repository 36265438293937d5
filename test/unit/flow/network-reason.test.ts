import { createServer } from "node:http";
import { createServer as createTcpServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { networkReason } from "../../../src/flow/network-reason.ts";

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function reasonOf(url: string) {
  const error: unknown = await fetch(url).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return networkReason(error);
}

describe("why a request got no answer", () => {
  it("is that nobody listens, which may change", async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await reasonOf(`http://127.0.0.1:${port}`)).toMatchObject({
      reason: "connection refused",
      code: "ECONNREFUSED",
      stays: false,
    });
  });

  it("is that the other end hung up, which may change", async () => {
    const port = await listen(createTcpServer((socket) => socket.destroy()));
    expect(await reasonOf(`http://127.0.0.1:${port}`)).toMatchObject({
      reason: expect.stringMatching(/^connection (?:closed|reset)$/),
      stays: false,
    });
  });

  it("is that https was asked of a server of http, which stays so", async () => {
    const port = await listen(createServer((_, response) => response.end("no TLS here")));
    expect(await reasonOf(`https://127.0.0.1:${port}`)).toMatchObject({
      reason: expect.stringContaining("it does not speak https"),
      stays: true,
    });
  });

  it("is that http was asked of a server that answers otherwise", async () => {
    const port = await listen(createTcpServer((socket) => socket.end("\u0015\u0003\u0003\u0000")));
    expect(await reasonOf(`http://127.0.0.1:${port}`)).toMatchObject({
      reason: expect.stringContaining("what came is not http"),
      stays: false,
    });
  });

  it("is a certificate that will not do, which stays so", () => {
    const cause = Object.assign(new Error("no"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    const found = networkReason(new TypeError("fetch failed", { cause }));
    expect(found).toMatchObject({
      reason: "certificate: DEPTH_ZERO_SELF_SIGNED_CERT",
      stays: true,
    });
    expect(found.cause).toBe(cause);
  });

  it("has words also for what has no code, or one that is not known", () => {
    expect(networkReason("what").reason).toBe("no connection");
    expect(networkReason(Object.assign(new Error(""), { code: "EODD" })).reason).toBe("EODD");
  });
});
