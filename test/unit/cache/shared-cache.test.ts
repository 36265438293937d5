import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { sqliteCache } from "../../../src/cache/index.ts";
import type { EmbeddingCache } from "../../../src/contracts/index.ts";
import { entries, keyOf, temporaryFolder } from "./support.ts";

function openCache(path: string): EmbeddingCache {
  const cache = sqliteCache({ path, maxMb: 64 });
  onTestFinished(() => cache.close());
  return cache;
}

/** Starts a process that has loaded the cache and runs the body, with `caches` and `entry`, once it is told to. */
async function launch(paths: readonly string[], body: string): Promise<ChildProcess> {
  const index = new URL("../../../src/cache/index.ts", import.meta.url).href;
  const script = `
    const { sqliteCache } = await import(${JSON.stringify(index)});
    const { createHash } = await import("node:crypto");
    const caches = ${JSON.stringify(paths)}.map((path) => sqliteCache({ path, maxMb: 64 }));
    const entry = (number) => [
      createHash("sha256").update("text " + number).digest("hex"),
      new Float32Array(256).fill(number + 1),
    ];
    process.once("message", async () => {
      ${body}
      process.kill(process.pid, "SIGKILL");
    });
    process.send("ready");`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "message");
  return child;
}

async function goTogether(children: readonly ChildProcess[]): Promise<void> {
  const exits = children.map((child) => once(child, "exit"));
  for (const child of children) child.send("go");
  await Promise.all(exits);
}

/** Puts two hundred entries, ten at a time. */
function putHundreds(from: number): string {
  return `
    for (let number = ${from}; number < ${from} + 200; number += 10) {
      const numbers = Array.from({ length: 10 }, (_, index) => number + index);
      await caches[0].put(new Map(numbers.map(entry)));
      await new Promise((resolve) => setImmediate(resolve));
    }`;
}

function putInAll(number: number): string {
  return `for (const cache of caches) await cache.put(new Map([entry(${number})]));`;
}

test("processes share one cache and lose nothing to each other, also when killed", async () => {
  const path = join(temporaryFolder(), "deep", "cache.sqlite");
  const starts = [0, 1_000];
  await goTogether(await Promise.all(starts.map((from) => launch([path], putHundreds(from)))));
  const cache = openCache(path);
  for (const from of starts) {
    const expected = entries(from, 200, 256);
    expect(await cache.get([...expected.keys()], 256)).toStrictEqual(expected);
  }
});

test("processes that make a cache at the same moment make one, and all use it", async () => {
  const folder = temporaryFolder();
  const paths = Array.from({ length: 40 }, (_, index) => join(folder, `${index}.sqlite`));
  await goTogether(await Promise.all([0, 1].map((number) => launch(paths, putInAll(number)))));
  for (const path of paths) {
    const found = await openCache(path).get([keyOf(0), keyOf(1)], 256);
    expect([path, found.size]).toStrictEqual([path, 2]);
  }
});
