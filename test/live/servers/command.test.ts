import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { describeLive } from "../support/live-servers.ts";

const program = fileURLToPath(new URL("../../../scripts/servers.ts", import.meta.url));

function start(...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** The first line that it prints. */
async function firstLine({ stdout }: ChildProcess): Promise<Readonly<Record<string, unknown>>> {
  const [line] = await once(createInterface({ input: stdout! }), "line");
  return JSON.parse(String(line));
}

function isUp(address: unknown): Promise<boolean> {
  return fetch(`${String(address)}/version`).then(
    ({ ok }) => ok,
    () => false,
  );
}

describeLive("toxiproxy", () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    test(`the command tells the address, and ${signal} ends it and the server`, async () => {
      const child = start("toxiproxy");
      const { name, address, scratch } = await firstLine(child);
      expect(name).toBe("toxiproxy");
      expect(await isUp(address)).toBe(true);
      expect(existsSync(String(scratch))).toBe(true);
      child.kill(signal);
      expect(await once(child, "exit")).toStrictEqual([0, null]);
      expect(await isUp(address)).toBe(false);
      expect(existsSync(String(scratch))).toBe(false);
    });
  }

  test("the server ends even when the command is killed", async () => {
    const child = start("toxiproxy");
    const { address, scratch } = await firstLine(child);
    child.kill("SIGKILL");
    await expect.poll(() => isUp(address), { timeout: 10_000 }).toBe(false);
    await expect.poll(() => existsSync(String(scratch)), { timeout: 10_000 }).toBe(false);
  });

  test("`--install` only installs, and tells where", async () => {
    const child = start("--install", "toxiproxy");
    const { folder } = await firstLine(child);
    expect(existsSync(`${String(folder)}/bin/toxiproxy-server`)).toBe(true);
    expect(await once(child, "exit")).toStrictEqual([0, null]);
  });
});

describe("the command", () => {
  test("refuses a name that it does not know, and says which it knows", async () => {
    const child = start("milvus-light");
    const lines = createInterface({ input: child.stderr! });
    const [[line], end] = await Promise.all([once(lines, "line"), once(child, "exit")]);
    expect(line).toContain("no server `milvus-light`");
    expect(line).toContain("milvus-lite");
    expect(end).toStrictEqual([2, null]);
  });
});
