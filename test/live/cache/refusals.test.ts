import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test, vi } from "vitest";
import { freePorts } from "../../../scripts/servers/free-ports.ts";
import { startServer } from "../../../scripts/servers/start-server.ts";
import type { RedisCacheOptions } from "../../../src/cache/index.ts";
import { isFault } from "../../../src/faults/index.ts";
import { describeLive } from "../support/live-servers.ts";
import { ask, newsOf, placeAt } from "./support/redis-place.ts";
import { dimension, entriesFrom, keyOf } from "./support/vectors.ts";

const run = promisify(execFile);

/** That a start is refused with this, that the doctor's look is too, and that in the midst of a run it is a miss. */
async function expectRefused(
  url: string,
  code: string,
  says: RegExp,
  options: Partial<RedisCacheOptions> = {},
): Promise<void> {
  for (const call of ["keepProbe", "stats"] as const) {
    const cache = await placeAt(url, options).open();
    const calling = call === "stats" ? cache.stats() : cache.keepProbe("a", "mine");
    const fault = await calling.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect([call, fault]).toEqual([call, expect.objectContaining({ code })]);
    if (!isFault(fault)) return;
    expect(fault.message).toMatch(says);
    expect(fault.message).not.toContain("hunter22");
  }
  const cache = await placeAt(url, options).open();
  expect((await cache.get([keyOf(1)], dimension)).size).toBe(0);
  await cache.put(entriesFrom(1, 1));
  expect(newsOf(cache)).toEqual([expect.stringMatching(/^warning: /)]);
  await expect(cache.keepProbe("a", "mine")).rejects.toMatchObject({ code });
}

describeLive("redis", () => {
  test("a wrong or missing password is refused at the start, and the right one is not", async () => {
    await using server = await startServer("redis");
    await ask(server.address, "CONFIG", "SET", "requirepass", "p@ss/word");
    const { host } = new URL(server.address);
    const says = /refuses the credentials; check user and password/;
    await expectRefused(`redis://:hunter22@${host}`, "cache.unauthorized", says);
    await expectRefused(`redis://me:hunter22@${host}`, "cache.unauthorized", says);
    await expectRefused(`redis://${host}`, "cache.unauthorized", says);
    const places = [
      placeAt(`redis://:p%40ss%2Fword@${host}`),
      placeAt(`redis://${host}`, { password: "p@ss/word" }),
      placeAt(`redis://default@${host}`, { password: "p@ss/word" }),
    ];
    for (const place of places) {
      const cache = await place.open();
      expect(await cache.keepProbe("a", "mine")).toBe("mine");
    }
  });

  test("a password where the server wants none is refused", async () => {
    await using server = await startServer("redis");
    const url = server.address.replace("//", "//:hunter22@");
    await expectRefused(url, "cache.unauthorized", /credentials/);
  });

  test("a user who may not write is refused at the start, and one who may do just this is not", async () => {
    await using server = await startServer("redis");
    const rules = ["on", ">hunter22", "~test-*", "resetchannels", "-@all"];
    await ask(server.address, "ACL", "SETUSER", "reader", ...rules, "+@read", "+info");
    const all = "+hget +hmget +hsetnx +mget +set +pexpire +unlink +scan +strlen +multi +exec";
    await ask(server.address, "ACL", "SETUSER", "writer", ...rules, ...all.split(" "));
    const { host } = new URL(server.address);
    const reader = await placeAt(`redis://reader:hunter22@${host}`).open();
    const fault: unknown = await reader.keepProbe("a", "mine").catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: "cache.unauthorized" });
    expect(String(fault)).toMatch(/forbids this user a command or the keys/);
    const writer = await placeAt(`redis://writer:hunter22@${host}`).open();
    await writer.keepProbe("a", "mine");
    await writer.put(entriesFrom(1, 1));
    expect((await writer.get([keyOf(1)], dimension)).size).toBe(1);
    expect((await writer.stats()).entries).toBe(1);
    await writer.clear();
    expect(newsOf(writer)).toEqual([]);
  });

  test("a replica is refused at the start; one that becomes a replica in the midst is left alone", async () => {
    await using primary = await startServer("redis");
    await using replica = await startServer("redis");
    const { port } = new URL(primary.address);
    const cache = await placeAt(replica.address).open();
    await cache.keepProbe("a", "mine");
    await cache.put(entriesFrom(1, 1));
    await ask(replica.address, "REPLICAOF", "127.0.0.1", port);
    await expectRefused(replica.address, "cache.unusable", /replica.*name the primary/);
    await cache.put(entriesFrom(2, 1));
    expect((await cache.get([keyOf(2)], dimension)).size).toBe(0);
    expect(newsOf(cache).join()).toMatch(/^warning: .*replica/);
  });

  test("a cluster is refused, also by the doctor", async () => {
    await using server = await startServer("redis");
    await appendFile(join(server.scratch, "redis.conf"), "cluster-enabled yes\n");
    await server.restart();
    await expectRefused(server.address, "cache.unusable", /Redis cluster, which is not supported/);
  });

  test("a sentinel is refused", async () => {
    await using server = await startServer("redis");
    const program = join(server.scratch, "sentinel.conf");
    const [port = 0] = await freePorts(1);
    await appendFile(program, `port ${port}\nbind 127.0.0.1\ndir ${server.scratch}\n`);
    const sentinel = spawn("redis-server", [program, "--sentinel"], { stdio: "ignore" });
    onTestFinished(async () => {
      const ended = once(sentinel, "exit");
      sentinel.kill("SIGKILL");
      await ended;
    });
    const url = `redis://127.0.0.1:${port}`;
    await vi.waitFor(() => ask(url, "PING"), { timeout: 10_000, interval: 20 });
    await expectRefused(url, "cache.unusable", /Redis sentinel, which is not supported/);
  });

  test("a database that the server does not have is refused", async () => {
    await using server = await startServer("redis");
    await expectRefused(`${server.address}/99`, "cache.unusable", /no database of this number/);
    const cache = await placeAt(`${server.address}/7`).open();
    await cache.put(entriesFrom(1, 1));
    expect(await ask(`${server.address}/7`, "DBSIZE")).toBe(2);
    expect(await ask(server.address, "DBSIZE")).toBe(0);
  });

  test("a server that is no Redis is refused", async () => {
    const server = createServer((_, response) => response.end("hello"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    await expectRefused(`redis://127.0.0.1:${port}`, "cache.unusable", /does not speak as Redis/);
  });

  test("TLS is used with `rediss://`, and a certificate that nobody vouches for is refused", async () => {
    await using server = await startServer("redis");
    const folder = await mkdtemp(join(tmpdir(), "sluice-tls-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
    const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    const made = ["-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate];
    await run("openssl", ["req", ...made, "-days", "2", ...subject]);
    const [port = 0] = await freePorts(1);
    const files = [
      "tls-cert-file",
      certificate,
      "tls-key-file",
      key,
      "tls-ca-cert-file",
      certificate,
    ];
    await ask(server.address, "CONFIG", "SET", ...files, "tls-auth-clients", "no");
    await ask(server.address, "CONFIG", "SET", "tls-port", String(port));
    const url = `rediss://127.0.0.1:${port}`;
    await expectRefused(url, "cache.unusable", /not trusted.*NODE_EXTRA_CA_CERTS/);
    const index = new URL("../../../src/cache/index.ts", import.meta.url).href;
    const script = `
      const { redisCache } = await import(${JSON.stringify(index)});
      const settings = { prefix: "tls:", ttlDays: 1, timeoutMs: 5_000 };
      const cache = redisCache({ url: ${JSON.stringify(url)}, ...settings });
      console.log(await cache.keepProbe("a", "mine"), (await cache.stats()).entries);
      await cache.close();`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate },
    });
    expect(stdout).toBe("mine 0\n");
  });

  test("TLS is not spoken to a server without it, which is told as away", async () => {
    await using server = await startServer("redis");
    const url = server.address.replace("redis:", "rediss:");
    const cache = await placeAt(url, { timeoutMs: 300 }).open();
    expect(await cache.keepProbe("a", "mine")).toBe("mine");
    expect(newsOf(cache)).toEqual([expect.stringMatching(/^warning: .*rediss:/)]);
  });
});
