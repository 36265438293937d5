import { execFile } from "node:child_process";
import { hash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Spool, type Window } from "../../../src/engine/spool.ts";

/** A window of chunks whose texts need several bytes a character. */
function windowOf(first: number, count: number, dimension: number): Window {
  const numbers = Array.from({ length: count }, (_, index) => first + index);
  return {
    chunks: numbers.map((number) => ({
      id: `id ${number}`,
      text: `${number} 水門 🌊 "quoted"\n`,
      headings: ["One", `Two ${number}`],
      page: number % 2 === 0 ? number : undefined,
      position: number,
    })),
    vectors: numbers.map((number) =>
      Float32Array.from({ length: dimension }, (_, index) => number + index / dimension),
    ),
  };
}

async function readAll(spool: Spool): Promise<Window[]> {
  const windows: Window[] = [];
  for await (const window of spool.windows()) windows.push(window);
  return windows;
}

function spoolFiles(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.endsWith(".spool"));
}

/** A page that is undefined is left out of JSON, which reads back as undefined. */
function plain(windows: readonly Window[]): unknown {
  return windows.map(({ chunks, vectors }) => ({
    chunks: chunks.map((chunk) => ({ ...chunk, page: chunk.page })),
    vectors: vectors.map((vector) => hash("sha256", Buffer.from(vector.slice().buffer))),
  }));
}

describe("a spool", () => {
  it("gives small documents back from memory, exactly and as often as asked", async () => {
    const spool = new Spool();
    const windows = [windowOf(0, 3, 4), windowOf(3, 1, 4), windowOf(4, 64, 4)];
    for (const window of windows) await spool.append(window);
    expect(plain(await readAll(spool))).toEqual(plain(windows));
    expect(plain(await readAll(spool))).toEqual(plain(windows));
    await spool.close();
  });

  it("gives large documents back from a file without a name, exactly and as often as asked", async () => {
    const before = spoolFiles();
    const spool = new Spool();
    const windows = Array.from({ length: 12 }, (_, index) => windowOf(index * 32, 32, 16_384));
    for (const window of windows) await spool.append(window);
    expect(spoolFiles()).toEqual(before);
    const [one, two] = await Promise.all([readAll(spool), readAll(spool)]);
    expect(plain(one)).toEqual(plain(windows));
    expect(plain(two)).toEqual(plain(windows));
    await spool.close();
    expect(spoolFiles()).toEqual(before);
  });

  it("gives nothing when it is empty or closed, and may be closed twice", async () => {
    const spool = new Spool();
    expect(await readAll(spool)).toEqual([]);
    await spool.append(windowOf(0, 3, 4));
    await spool.close();
    expect(await readAll(spool)).toEqual([]);
    await spool.close();
  });

  it("tells a disk that became full in the middle of a write, and never gives back a torn vector", async () => {
    const script = fileURLToPath(new URL("rig/fill-spool.ts", import.meta.url));
    expect(existsSync(script)).toBe(true);
    // A file may not grow beyond this many KiB: a write that crosses the limit is cut short without an error.
    const limited = `ulimit -f 20001; trap '' XFSZ; exec "$0" "$1"`;
    const output = await new Promise<string>((resolve) => {
      execFile("bash", ["-c", limited, process.execPath, script], (_error, stdout, stderr) =>
        resolve(stdout + stderr),
      );
    });
    expect(output).toMatch(/^state\.(?:full|unwritable)/);
  });
});
