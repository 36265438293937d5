import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { DocumentRef } from "../../../../src/contracts/index.ts";
import { codeOf, documentsOf, list, makeFolder, makeSource, never, textOf } from "./fixture.ts";

function handlesHere(): number {
  return readdirSync("/proc/self/fd").length;
}

async function onlyDocument(root: string): Promise<DocumentRef> {
  const [document] = documentsOf(await list(makeSource({ root })));
  if (document === undefined) throw new Error("Nothing was listed.");
  return document;
}

function open(document: DocumentRef, signal = never): AsyncIterator<Uint8Array> {
  if (document.content.kind !== "bytes") throw new Error("No bytes.");
  return document.content.open(signal)[Symbol.asyncIterator]();
}

test.each(["", "short", "x".repeat(1_000_003)])(
  "a file is read as it is, again for a retry",
  async (text) => {
    const document = await onlyDocument(makeFolder({ "a.md": text }));
    expect(await textOf(document)).toBe(text);
    expect(await textOf(document)).toBe(text);
  },
);

describe("a file that is not the one listed is not taken for it", () => {
  const big = "x".repeat(600_000);
  test.each<[string, (path: string) => void, string]>([
    ["removed", (path) => rmSync(path), "source.vanished"],
    ["grown", (path) => appendFileSync(path, "more"), "source.changed"],
    ["shrunk", (path) => truncateSync(path, 10), "source.changed"],
    [
      "rewritten in the same size",
      (path) => writeFileSync(path, "y".repeat(600_000)),
      "source.changed",
    ],
    [
      "replaced by an equal one",
      (path) => {
        writeFileSync(`${path}.tmp`, big);
        renameSync(`${path}.tmp`, path);
      },
      "source.changed",
    ],
    [
      "replaced by a link to outside",
      (path) => {
        rmSync(path);
        symlinkSync("/etc/hosts", path);
      },
      "source.not-a-file",
    ],
    [
      "replaced by a pipe",
      (path) => {
        rmSync(path);
        execFileSync("mkfifo", [path]);
      },
      "source.not-a-file",
    ],
    [
      "replaced by a folder",
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
      "source.not-a-file",
    ],
  ])("%s between listing and reading", async (_name, change, code) => {
    const root = makeFolder({ "a.md": big });
    const document = await onlyDocument(root);
    change(join(root, "a.md"));
    expect(await codeOf(textOf(document))).toBe(`document ${code}`);
  });

  test("its folder replaced by a link to a twin outside", async () => {
    const outside = makeFolder({ "a.md": big });
    const root = makeFolder({ "d/a.md": big });
    const document = await onlyDocument(root);
    rmSync(join(root, "d"), { recursive: true });
    symlinkSync(outside, join(root, "d"));
    expect(await codeOf(textOf(document))).toBe("document source.changed");
  });

  test.each<[string, (path: string) => void]>([
    ["growing", (path) => appendFileSync(path, "more")],
    ["shrinking", (path) => truncateSync(path, 300_000)],
    ["changing in place", (path) => writeFileSync(path, "z".repeat(600_000))],
  ])("%s while it is read", async (_name, change) => {
    const root = makeFolder({ "a.md": big });
    const bytes = open(await onlyDocument(root));
    let read = (await bytes.next()).value?.length ?? 0;
    change(join(root, "a.md"));
    const rest = async (): Promise<void> => {
      for (let next = await bytes.next(); next.done !== true; next = await bytes.next()) {
        read += next.value.length;
      }
    };
    expect(await codeOf(rest())).toBe("document source.changed");
    expect(read).toBeLessThanOrEqual(600_000);
  });
});

test("a file without permission is source.unreadable", async () => {
  const root = makeFolder({ "a.md": "secret" });
  chmodSync(root, 0o755);
  chmodSync(join(root, "a.md"), 0o000);
  const document = await onlyDocument(root);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    expect(await codeOf(textOf(document))).toBe("document source.unreadable");
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

test("a sparse file of 5 GB streams in small pieces and can be left", async () => {
  const root = makeFolder({ "big.md": "" });
  truncateSync(join(root, "big.md"), 5 * 1024 ** 3);
  const before = process.memoryUsage().rss;
  const bytes = open(await onlyDocument(root));
  for (let chunk = 0; chunk < 200; chunk += 1) {
    const { value } = await bytes.next();
    expect(value?.length).toBe(256 * 1024);
  }
  await bytes.return?.();
  expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024);
});

test.skipIf(process.platform !== "linux")(
  "leaving early, an abort and a fault all close the file",
  async () => {
    const root = makeFolder({ "a.md": "x".repeat(600_000) });
    const document = await onlyDocument(root);
    const before = handlesHere();
    const left = open(document);
    await left.next();
    expect(handlesHere()).toBe(before + 1);
    await left.return?.();
    expect(handlesHere()).toBe(before);
    const controller = new AbortController();
    const aborted = open(document, controller.signal);
    await aborted.next();
    controller.abort(new Error("stop"));
    await expect(aborted.next()).rejects.toThrow("stop");
    await expect.poll(handlesHere).toBe(before);
    const faulty = open(document);
    await faulty.next();
    appendFileSync(join(root, "a.md"), "more");
    await faulty.next();
    await faulty.next();
    expect(await codeOf(faulty.next())).toBe("document source.changed");
    expect(handlesHere()).toBe(before);
  },
);
