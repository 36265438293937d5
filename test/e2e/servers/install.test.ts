import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants, mkdtemp, readdir, rm, symlink, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { installServer } from "../../../scripts/servers/install-server.ts";
import { tinyKind } from "./support/tiny-kind.ts";

const program = fileURLToPath(new URL("support/installer.ts", import.meta.url));

async function emptyCache(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-cache-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  // One that does not exist yet.
  return join(folder, "cache");
}

interface Installer {
  readonly child: ChildProcessWithoutNullStreams;
  readonly nextLine: () => Promise<string>;
}

function startInstaller(cache: string): Installer {
  const child = spawn(process.execPath, [program, cache]);
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, nextLine: async () => String((await lines.next()).value) };
}

test("what is installed is found by the next call, which installs nothing", async () => {
  const cache = await emptyCache();
  const folder = await installServer(tinyKind(), { cache });
  expect(await readdir(folder)).toStrictEqual(["installed"]);
  const refuses = { ...tinyKind(), install: () => Promise.reject(new Error("not again")) };
  expect(await installServer(refuses, { cache })).toBe(folder);
});

test("another version is another installation", async () => {
  const cache = await emptyCache();
  const first = await installServer(tinyKind(), { cache });
  const second = await installServer({ ...tinyKind(), version: "2.0.0" }, { cache });
  expect(second).not.toBe(first);
});

test("an installation that fails says why and leaves nothing", async () => {
  const cache = await emptyCache();
  const kind = tinyKind();
  const fails: typeof kind = {
    ...kind,
    async install(folder) {
      await kind.install(folder);
      throw new Error("the network is gone");
    },
  };
  await expect(installServer(fails, { cache })).rejects.toThrow("the network is gone");
  expect((await readdir(cache)).filter((name) => !name.includes("lock"))).toStrictEqual([]);
  expect(await installServer(kind, { cache })).toBe(join(cache, "tiny-1.0.0"));
});

test("an installation without its program is an error", async () => {
  const cache = await emptyCache();
  const empty = { ...tinyKind(), install: () => Promise.resolve() };
  await expect(installServer(empty, { cache })).rejects.toThrow("made no `installed`");
});

test("an installation whose program leads nowhere any more is made again", async () => {
  const cache = await emptyCache();
  const folder = await installServer(tinyKind(), { cache });
  await unlink(join(folder, "installed"));
  await symlink("gone", join(folder, "installed"));
  await installServer(tinyKind(), { cache });
  await access(join(folder, "installed"), constants.X_OK);
});

test("of two processes one installs, and the other waits and gets the same", async () => {
  const cache = await emptyCache();
  const first = startInstaller(cache);
  expect(await first.nextLine()).toBe("installing");
  const second = startInstaller(cache);
  expect(await second.nextLine()).toBe("waiting");
  first.child.stdin.write("go on\n");
  const done = `done ${join(cache, "tiny-1.0.0")}`;
  expect(await first.nextLine()).toBe(done);
  expect(await second.nextLine()).toBe(done);
});

test("one that is killed in the middle leaves no half, and the next one does not wait", async () => {
  const cache = await emptyCache();
  const first = startInstaller(cache);
  expect(await first.nextLine()).toBe("installing");
  const half = (await readdir(cache)).filter((name) => name.startsWith("tiny-1.0.0.partial-"));
  expect(half).toHaveLength(1);
  first.child.kill("SIGKILL");
  await once(first.child, "exit");
  await installServer(tinyKind(), { cache });
  const left = (await readdir(cache)).filter((name) => !name.includes("lock"));
  expect(left).toStrictEqual(["tiny-1.0.0"]);
});
