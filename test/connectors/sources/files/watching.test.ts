import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Source, SourceEvent } from "../../../../src/contracts/index.ts";
import { brief, codeOf, makeFolder, makeSource, never, watchesNow, write } from "./fixture.ts";

/** Pulls listings one by one; `meanwhile` runs after the first event of a listing. */
function follow(
  source: Source,
  signal = never,
): {
  next(meanwhile?: () => void): Promise<string[]>;
  leave(): Promise<unknown>;
} {
  const events = source.read({ follow: true }, signal)[Symbol.asyncIterator]();
  return {
    async next(meanwhile) {
      const listing: SourceEvent[] = [];
      for (;;) {
        const { value, done } = await events.next();
        if (done === true) throw new Error("The stream ended.");
        listing.push(value);
        if (listing.length === 1) meanwhile?.();
        if (value.kind === "end") return brief(listing);
      }
    },
    leave: async () => events.return?.(),
  };
}

const isLinux = process.platform === "linux";

const listingOf = (...ids: string[]): string[] => ["listing", ...ids, "end complete"];

test("every kind of change brings a new listing, also in folders that are new", async () => {
  const root = makeFolder({ "a.md": "a" });
  const listings = follow(makeSource({ root, poll_interval_ms: 86_400_000 }));
  expect(await listings.next()).toEqual(listingOf("a.md"));
  write(root, { "b.md": "b" });
  expect(await listings.next()).toEqual(listingOf("a.md", "b.md"));
  mkdirSync(join(root, "new/deep"), { recursive: true });
  await listings.next();
  write(root, { "new/deep/c.md": "c" });
  expect(await listings.next()).toEqual(listingOf("a.md", "b.md", "new/deep/c.md"));
  renameSync(join(root, "new"), join(root, "old"));
  expect(await listings.next()).toEqual(listingOf("a.md", "b.md", "old/deep/c.md"));
  // The root, `old` and `old/deep`; nothing under the former name.
  if (isLinux) expect(watchesNow()).toBe(3);
  write(root, { "old/deep/d.md": "d" });
  expect(await listings.next()).toEqual(
    listingOf("a.md", "b.md", "old/deep/c.md", "old/deep/d.md"),
  );
  renameSync(join(root, "old"), join(makeFolder(), "elsewhere"));
  expect(await listings.next()).toEqual(listingOf("a.md", "b.md"));
  // What was moved away is not watched any more when the next listing begins.
  write(root, { "c.md": "c" });
  await listings.next();
  if (isLinux) expect(watchesNow()).toBe(1);
  await listings.leave();
});

test("a folder that is removed and made again is watched again", async () => {
  const root = makeFolder({ "d/a.md": "a" });
  const listings = follow(makeSource({ root, poll_interval_ms: 86_400_000 }));
  await listings.next();
  rmSync(join(root, "d"), { recursive: true });
  write(root, { "d/a.md": "again" });
  expect(await listings.next()).toEqual(listingOf("d/a.md"));
  write(root, { "d/b.md": "b" });
  expect(await listings.next()).toEqual(listingOf("d/a.md", "d/b.md"));
  await listings.leave();
});

test("a change while a listing goes on is seen by the next one", async () => {
  const root = makeFolder({ "a.md": "a", "z/z.md": "z" });
  const listings = follow(makeSource({ root, poll_interval_ms: 86_400_000 }));
  await listings.next();
  write(root, { "b.md": "b" });
  // The listing has begun: the root is read already or not, the change must not fall between.
  await listings.next(() => write(root, { "z/c.md": "c", "0.md": "0" }));
  expect(await listings.next()).toEqual(listingOf("0.md", "a.md", "b.md", "z/c.md", "z/z.md"));
  await listings.leave();
});

test("the folder is listed again after the interval, without any change", async () => {
  const listings = follow(makeSource({ root: makeFolder({ "a.md": "" }), poll_interval_ms: 100 }));
  for (let turn = 0; turn < 3; turn += 1) expect(await listings.next()).toEqual(listingOf("a.md"));
  await listings.leave();
});

test("a root that disappears while it is watched ends the stream with source.unreachable", async () => {
  const root = makeFolder({ "a.md": "" });
  const listings = follow(makeSource({ root, poll_interval_ms: 86_400_000 }));
  await listings.next();
  rmSync(root, { recursive: true });
  expect(await codeOf(listings.next())).toBe("component source.unreachable");
  if (isLinux) expect(watchesNow()).toBe(0);
});

test("leaving, an abort and close all end the watching at once and leave no watcher", async () => {
  const root = makeFolder({ "a/b/c.md": "" });
  const config = { root, poll_interval_ms: 86_400_000 };
  const left = follow(makeSource(config));
  await left.next();
  if (isLinux) expect(watchesNow()).toBe(3);
  await left.leave();
  if (isLinux) expect(watchesNow()).toBe(0);

  const controller = new AbortController();
  const aborted = follow(makeSource(config), controller.signal);
  await aborted.next();
  const waiting = aborted.next();
  controller.abort(new Error("stop"));
  await expect(waiting).rejects.toThrow("stop");
  if (isLinux) expect(watchesNow()).toBe(0);

  const source = makeSource(config);
  const closed = follow(source);
  await closed.next();
  const hanging = closed.next();
  await source.close();
  expect(await codeOf(hanging)).toBe("component aborted");
  if (isLinux) expect(watchesNow()).toBe(0);
});
