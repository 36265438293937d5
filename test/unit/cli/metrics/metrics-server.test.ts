import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import {
  MetricsServer,
  type MetricsServerOptions,
} from "../../../../src/cli/metrics/metrics-server.ts";

const page = async () => ({ type: "text/plain; version=0.0.4; charset=utf-8", text: "größe 1\n" });

async function open(options: Partial<MetricsServerOptions> = {}): Promise<MetricsServer> {
  const server = await MetricsServer.open({ host: "127.0.0.1", port: 0, page, ...options });
  onTestFinished(() => server.close());
  return server;
}

it("gives the page at /metrics, also with a query, and its head", async () => {
  const { url } = await open();
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  for (const address of [url, `${url}?name[]=up`]) {
    const answer = await fetch(address);
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await answer.text()).toBe("größe 1\n");
  }
  const head = await fetch(url, { method: "HEAD" });
  expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([
    200,
    "10",
    "",
  ]);
});

it("has nothing else, can only be read, and says where the measures are", async () => {
  const { url } = await open();
  const lost = await fetch(new URL("/", url));
  expect([lost.status, await lost.text()]).toEqual([404, "The measures are at /metrics.\n"]);
  const post = await fetch(url, { method: "POST", body: "x".repeat(100_000) });
  expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  await post.text();
});

it("answers that it failed when the page cannot be made, and goes on", async () => {
  let calls = 0;
  const failing = async () => {
    calls += 1;
    if (calls === 1) throw new Error("secret detail");
    return page();
  };
  const { url } = await open({ page: failing });
  const broken = await fetch(url);
  expect([broken.status, await broken.text()]).toEqual([500, "The measures could not be read.\n"]);
  expect(await (await fetch(url)).text()).toBe("größe 1\n");
});

it("says of a port that another program has what to do, and of a host that is not here", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void other.close());
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const taken = open({ port });
  await expect(taken).rejects.toMatchObject({ code: "metrics.unavailable" });
  await expect(taken).rejects.toThrow(
    `The page of measures cannot be opened at port ${port} of \`127.0.0.1\`: another program has it. Give \`--metrics-port\` another port`,
  );
  await expect(open({ host: "192.0.2.1" })).rejects.toThrow(/not an address of this machine/);
});

it("frees its port when it is closed, whatever connections are open", async () => {
  const server = await open();
  const { port } = new URL(server.url);
  // One is silent, one has asked and stays, one is in the midst of a request.
  const sockets = ["", "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n", "GET /met"].map((text) => {
    const socket = connect(Number(port), "127.0.0.1");
    socket.write(text);
    socket.on("error", () => {});
    socket.resume();
    return socket;
  });
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  await once(sockets[1]!, "data");
  const gone = sockets.map((socket) => once(socket, "close"));
  await server.close();
  await Promise.all(gone);
  const again = await open({ port: Number(port) });
  expect(again.url).toBe(server.url);
});
