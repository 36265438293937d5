import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { RunningServer } from "../../../scripts/servers/running-server.ts";
import { ask, isAlive, tinyKind, type TinyMode } from "./support/tiny-kind.ts";

async function start(mode?: TinyMode): Promise<RunningServer<"http">> {
  const server = await RunningServer.start(tinyKind(mode), "", { stopMs: 1000 });
  onTestFinished(() => server.stop());
  return server;
}

describe("a running server", () => {
  test("answers at its address, and lives in a scratch folder", async () => {
    const server = await start();
    expect((await ask(server.address)).pid).toBe(server.processId);
    expect(server.address).toBe(`http://127.0.0.1:${server.ports.http}`);
    expect(await readdir(server.scratch)).toContain("server.log");
  });

  test("is gone when it has been stopped, with its folder and all that it started", async () => {
    const server = await start();
    const { pid, helper } = await ask(server.address);
    await server.stop();
    expect(isAlive(pid)).toBe(false);
    await expect.poll(() => isAlive(helper)).toBe(false);
    expect(existsSync(server.scratch)).toBe(false);
    await server.stop();
  });

  test("keeps data and address when it is killed and started again", async () => {
    const server = await start();
    const { address } = server;
    const { pid, helper } = await ask(address, "kept");
    await server.kill();
    expect(server.processId).toBeUndefined();
    await expect.poll(() => isAlive(helper)).toBe(false);
    await expect(ask(address)).rejects.toThrow("fetch failed");
    await server.restart();
    const after = await ask(server.address);
    expect(after).toMatchObject({ text: "kept" });
    expect(after.pid).not.toBe(pid);
    expect(server.address).toBe(address);
    expect(await readdir(server.scratch)).not.toContain("goodbye");
  });

  test("that crashes leaves nothing running, and can be started again", async () => {
    const server = await start();
    const { helper } = await ask(server.address, "kept");
    await expect(fetch(server.address, { method: "DELETE" })).rejects.toThrow("fetch failed");
    await expect.poll(() => server.processId).toBeUndefined();
    await expect.poll(() => isAlive(helper)).toBe(false);
    await server.restart();
    expect(await ask(server.address)).toMatchObject({ text: "kept" });
  });

  test("is asked to end before it is started again", async () => {
    const server = await start();
    await server.restart();
    expect(await readdir(server.scratch)).toContain("goodbye");
  });

  test("that has been stopped does not come back", async () => {
    const server = await start();
    await server.stop();
    await expect(server.restart()).rejects.toThrow("has been stopped");
  });

  test("that does not end when asked to is ended", async () => {
    const server = await start("stubborn");
    const { pid } = await ask(server.address);
    await server.restart();
    expect(isAlive(pid)).toBe(false);
    expect((await ask(server.address)).pid).not.toBe(pid);
  });

  test("gets ports below those of outgoing connections", async () => {
    const server = await start();
    expect(server.ports.http).toBeGreaterThan(1024);
    expect(server.ports.http).toBeLessThan(32_768);
  });

  test("takes another port when somebody else took the one it was to get", async () => {
    const held: Server[] = [];
    const kind = tinyKind();
    const server = await RunningServer.start(
      {
        ...kind,
        async launch(place) {
          if (held.length === 0) {
            const other = createServer((socket) => socket.destroy()).listen(
              place.ports.http,
              "127.0.0.1",
            );
            held.push(other);
            await once(other, "listening");
          }
          return kind.launch(place);
        },
      },
      "",
    );
    onTestFinished(() => server.stop());
    expect((await ask(server.address)).pid).toBe(server.processId);
    held[0]?.close();
  });
});

describe("a server that cannot be started", () => {
  test("says how its log ends, and leaves nothing", async () => {
    const before = await scratchFolders();
    await expect(start("ends")).rejects.toThrow(
      "The server tiny ended with 3. Its log ends with:\nThis server does not like its settings.",
    );
    expect(await scratchFolders()).toStrictEqual(before);
  });

  test("says what was wrong last when it is not ready in time, and does not go on", async () => {
    const before = await scratchFolders();
    const started = RunningServer.start(tinyKind("unwell"), "", { readyMs: 1000 });
    await expect(started).rejects.toMatchObject({
      message: expect.stringContaining("was not ready after 1 s"),
      cause: new Error("It answers with 503."),
    });
    expect(await scratchFolders()).toStrictEqual(before);
  });

  test("says that its program is missing", async () => {
    const launch = { program: "/no/such/program", args: [] };
    const kind = { ...tinyKind(), launch: () => Promise.resolve(launch) };
    const started = RunningServer.start(kind, "");
    await expect(started).rejects.toMatchObject({
      message: "The server tiny cannot be started.",
      cause: { code: "ENOENT" },
    });
  });
});

async function scratchFolders(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith("sluice-tiny-"));
}

describe("a server whose owner", () => {
  const program = fileURLToPath(new URL("support/owner.ts", import.meta.url));

  /** Starts an owner, and resolves to its server when it runs. */
  async function startOwner(mode: "killed" | "ends") {
    const child = spawn(process.execPath, [program, mode], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const [line] = await once(createInterface({ input: child.stdout }), "line");
    const server = JSON.parse(String(line)) as { processId: number; scratch: string };
    return { child, server };
  }

  test("is killed ends too, and its data goes", async () => {
    const { child, server } = await startOwner("killed");
    expect(isAlive(server.processId)).toBe(true);
    expect(existsSync(join(server.scratch, "server.log"))).toBe(true);
    child.kill("SIGKILL");
    await expectGone(server);
  });

  test("ends without stopping it ends too, and its data goes", async () => {
    const { server } = await startOwner("ends");
    await expectGone(server);
  });
});

async function expectGone({ processId, scratch }: { processId: number; scratch: string }) {
  await expect.poll(() => isAlive(processId), { timeout: 10_000 }).toBe(false);
  await expect.poll(() => existsSync(scratch), { timeout: 10_000 }).toBe(false);
}
