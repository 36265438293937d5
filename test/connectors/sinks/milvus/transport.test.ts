import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer as createHttp } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { type AddressInfo, createServer as createTcp, type Server } from "node:net";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { faultOf, openFake, quick, write } from "./failing.ts";
import { makeSink, signal, startFake } from "./harness.ts";
import { modernMilvus } from "./modern.ts";

/** An address where something else than Milvus listens. */
async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A file of this folder's. */
function fixture(name: string): string {
  return join(import.meta.dirname, "fixtures", name);
}

describe("a server that cannot be reached", () => {
  it("is told from one that is slow: nothing was sent, and it is worth another try", async () => {
    const gone = await listen(createTcp());
    const { fake, collection } = await openFake();
    await fake.stop();
    const stranger = makeSink(gone.replace(/\d+$/, "1"));
    for (const call of [() => stranger.describe(signal), () => write(collection)]) {
      expect(await faultOf(call())).toMatchObject({
        code: "sink.unreachable",
        retry: "later",
        scope: "component",
        ambiguous: false,
        message: expect.stringContaining("Check `address`, and that the server runs."),
      });
    }
  });

  it("that takes connections and says nothing ends in a fault after `timeout_ms`", async () => {
    const hole = createTcp((socket) => socket.on("error", () => {}));
    const sink = makeSink(await listen(hole), quick);
    expect(await faultOf(sink.describe(signal))).toMatchObject({
      code: "sink.unreachable",
      ambiguous: false,
      message: expect.stringContaining("within `timeout_ms`"),
    });
    await sink.close();
  });

  it("whose name nobody knows is named", async () => {
    const fault = await faultOf(makeSink("no.such.host.invalid:19530").describe(signal));
    expect(fault.code).toBe("sink.unreachable");
    expect(fault.message).toContain("no.such.host.invalid");
  });
});

describe("what is no Milvus", () => {
  it.each<[string, () => Server]>([
    ["a port of HTTP", () => createHttp((_, response) => response.end("<html></html>"))],
    ["a web server of HTTP/2", () => createHttp2((_, response) => response.end("hello"))],
    ["a port of SSH", () => createTcp((socket) => socket.write("SSH-2.0-OpenSSH_9.0\r\n"))],
  ])("is told by what to do: %s", async (_, make) => {
    const fault = await faultOf(makeSink(await listen(make()), quick).describe(signal));
    expect(fault).toMatchObject({ code: "sink.unreachable", retry: "never", scope: "component" });
    expect(fault.message).toContain(
      "Check the port (19530 by default, not that of HTTP), and `tls`.",
    );
  });

  it("is tried again when a proxy stands before it that has lost it", async () => {
    const proxy = createHttp2((_, response) => {
      response.statusCode = 502;
      response.end("<html>");
    });
    const fault = await faultOf(makeSink(await listen(proxy)).describe(signal));
    expect(fault).toMatchObject({ code: "sink.unreachable", retry: "later" });
    expect(fault.message).toContain("502");
  });

  it("is an old server, when it does not know a method", async () => {
    const fake = await startFake({ DescribeCollection: { grpc: 12, text: "unknown method" } });
    const fault = await faultOf(makeSink(fake.address).describe(signal));
    expect(fault).toMatchObject({ code: "sink.foreign", retry: "never" });
    expect(fault.message).toContain("needs Milvus 2.3 or later");
  });
});

/** A fake that speaks TLS, and may ask for a certificate. */
async function startEncrypted(asksForCertificate = false) {
  const [key, cert, ca] = await Promise.all(
    ["server-key.pem", "server.pem", "client.pem"].map((name) => readFile(fixture(name))),
  );
  const options = { key: key!, cert: cert!, ca: ca!, requestCert: asksForCertificate };
  return startFake(modernMilvus(), options);
}

describe("TLS", () => {
  const tls = { ca: "fixtures/server.pem", server_name: "milvus.test" };

  it("is spoken with the certificate that `tls.ca` names", async () => {
    const fake = await startEncrypted();
    expect(await makeSink(fake.address, { tls }).describe(signal)).toMatchObject({ dimension: 4 });
  });

  it("is spoken with our own certificate to a server that asks for one", async () => {
    const fake = await startEncrypted(true);
    const own = { ...tls, certificate: "fixtures/client.pem", key: "fixtures/client-key.pem" };
    expect(await makeSink(fake.address, { tls: own }).describe(signal)).toBeDefined();
    const fault = await faultOf(makeSink(fake.address, { tls }).describe(signal));
    expect(fault.code).toBe("sink.unreachable");
  });

  it.each([
    ["a certificate that nobody signed", {}, "Set `tls.ca`, or `tls.server_name`."],
    ["another name", { ca: "fixtures/server.pem" }, "Set `tls.ca`, or `tls.server_name`."],
  ])("is refused with %s", async (_, given, advice) => {
    const fake = await startEncrypted();
    const fault = await faultOf(makeSink(fake.address, { tls: given }).describe(signal));
    expect(fault).toMatchObject({ code: "sink.unreachable", retry: "never" });
    expect(fault.message).toContain(advice);
  });

  it("is not expected of a server that does not speak it", async () => {
    const fake = await startFake();
    for (const sink of [makeSink(fake.address, { tls: {} }), makeSink(`https://${fake.address}`)]) {
      const fault = await faultOf(sink.describe(signal));
      expect(fault).toMatchObject({ code: "sink.unreachable", retry: "never" });
      expect(fault.message).toContain("Remove `tls`, and write the address without `https://`.");
    }
  });

  it("is asked for where the server wants it", async () => {
    const fake = await startEncrypted();
    const fault = await faultOf(makeSink(fake.address, quick).describe(signal));
    expect(fault).toMatchObject({ code: "sink.unreachable", scope: "component" });
    expect(fault.message).toContain("`tls`");
  });

  it.each([
    ["a file that is not there", { ca: "fixtures/nobody.pem" }, "cannot be read"],
    ["a file that is no certificate", { ca: "harness.ts" }, "holds no PEM"],
    [
      "a key that belongs to another",
      { certificate: "fixtures/client.pem", key: "fixtures/server-key.pem" },
      "`key` does not belong to `certificate`",
    ],
  ])("is refused before anything is sent with %s", async (_, given, problem) => {
    const fault = await faultOf(makeSink("127.0.0.1:1", { tls: given }).describe(signal));
    expect(fault).toMatchObject({ code: "config.invalid" });
    expect(fault.message).toMatch(/`tls(?:\.ca)?`/);
    expect(fault.message).toContain(problem);
  });
});

describe("an abort", () => {
  it("ends a call at once, with the reason, on the wire too", async () => {
    const { collection, fake } = await openFake({ Upsert: "silence" });
    const controller = new AbortController();
    const writing = write(collection, controller.signal);
    await expect.poll(() => fake.of("Upsert").length).toBe(1);
    controller.abort(new Error("The run is over."));
    await expect(writing).rejects.toThrow("The run is over.");
    fake.answer({ Upsert: {} });
    await write(collection);
    expect(fake.of("Upsert")).toHaveLength(2);
  });

  it("of the whole sink ends what is under way, and what comes after", async () => {
    const { collection, sink, fake } = await openFake({ Upsert: "silence" });
    const writing = faultOf(write(collection));
    await expect.poll(() => fake.of("Upsert").length).toBe(1);
    await sink.close();
    expect(await writing).toMatchObject({ code: "aborted", ambiguous: true });
    expect(await faultOf(write(collection))).toMatchObject({ code: "aborted", ambiguous: false });
  });
});

describe("a secret", () => {
  const secrets = ["s3cr3t-t0ken", "pa55-w0rd"];

  it("is sent as the server wants it, and the database beside it", async () => {
    const fake = await startFake();
    await makeSink(fake.address, { token: secrets[0], database: "search" }).describe(signal);
    await makeSink(fake.address, { username: "me", password: secrets[1] }).describe(signal);
    await makeSink(fake.address).describe(signal);
    const headers = fake.of("DescribeCollection").map((request) => request.headers);
    const sent = headers.map(({ authorization }) =>
      authorization === undefined
        ? undefined
        : Buffer.from(String(authorization), "base64").toString(),
    );
    expect(sent).toEqual([secrets[0], `me:${secrets[1]}`, undefined]);
    expect(headers.map(({ dbname }) => dbname)).toEqual(["search", "default", "default"]);
  });

  it("stands in no fault, nor in its cause", async () => {
    const fake = await startFake({ DescribeCollection: { grpc: 16, text: "auth check failure" } });
    for (const config of [{ token: secrets[0] }, { username: "me", password: secrets[1] }]) {
      for (const address of [fake.address, "127.0.0.1:1"]) {
        const sink = makeSink(address, config);
        const told = inspect(await faultOf(sink.describe(signal)), { depth: 20, showHidden: true });
        for (const secret of secrets) {
          expect(told + sink.address).not.toContain(secret);
          expect(told).not.toContain(Buffer.from(secret).toString("base64"));
        }
      }
    }
  });
});
