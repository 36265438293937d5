import { createHash } from "node:crypto";
import type { EmbeddingCache } from "../contracts/index.ts";
import { checkEqual, checkThat, checkVector, outcomeOf } from "./check.ts";
import {
  bindLaws,
  lawBook,
  type Law,
  type LawContext,
  type LawDefinition,
  type LawHarness,
} from "./law.ts";
import { isFault } from "../faults/index.ts";

/** Where a cache keeps its vectors. */
export interface CachePlace {
  /** Opens the cache here; again after it was closed. The place closes what it opened when the law is over. */
  open(): Promise<EmbeddingCache>;
}

/** How the laws make a cache and break what it has kept. */
export interface CacheHarness<Place extends CachePlace = CachePlace> extends LawHarness {
  /** A place without vectors; each call gives another. Its cache may hold `maxBytes`. */
  place(context: LawContext): Promise<Place>;
  /** The bound of the caches that `place` makes; a law fills it. */
  readonly maxBytes: number;
  /** The least cosine between a vector that is put and the same one given back; bit by bit when left out. */
  readonly minCosine?: number;
  /** Ends all use of the place as the death of the process would, without `close`. */
  crash?(place: Place): Promise<void>;
  /** Replaces what is kept under this key with other bytes, behind the cache's back. */
  tamper?(place: Place, key: string, bytes: Uint8Array): Promise<void>;
}

const dimension = 64;

const book = lawBook<CacheHarness>();
const { law, lawWith } = book;

law("gives back each vector under its key, bit by bit", async (harness, context) => {
  const cache = await (await harness.place(context)).open();
  const entries = makeEntries(700);
  await cache.put(entries);
  await checkHolds(harness, cache, entries);
  const [key = "", vector = new Float32Array()] = [...entries][5] ?? [];
  const alone = await cache.get([key], dimension);
  checkEqual([...alone.keys()], [key], "the keys of a lookup of one");
  checkSame(harness, alone.get(key), vector, "the vector looked up alone");
});

law("gives nothing for keys that it does not know", async (harness, context) => {
  const cache = await (await harness.place(context)).open();
  const entries = makeEntries(20);
  await cache.put(entries);
  const [known = ""] = entries.keys();
  const near = [known.replace(/.$/, (last) => (last === "0" ? "1" : "0")), keyOf("never")];
  checkEqual([...(await cache.get(near, dimension)).keys()], [], "keys found that nobody put");
  const both = await cache.get([...near, known, known], dimension);
  checkEqual([...both.keys()], [known], "the keys found among unknown ones");
  checkEqual((await cache.get([], dimension)).size, 0, "vectors for no keys");
});

law("does nothing when nothing is put", async (harness, context) => {
  const cache = await (await harness.place(context)).open();
  await cache.put(new Map());
  checkEqual((await cache.stats()).entries, 0, "the entries");
});

law("replaces the vector of a key that is put again", async (harness, context) => {
  const cache = await (await harness.place(context)).open();
  const key = keyOf("twice");
  await cache.put(new Map([[key, makeVector(1)]]));
  await cache.put(new Map([[key, makeVector(2)]]));
  checkSame(harness, (await cache.get([key], dimension)).get(key), makeVector(2), "the vector");
  checkEqual((await cache.stats()).entries, 1, "the entries");
});

law("drops a vector of another length than asked for", async (harness, context) => {
  for (const length of [0, 1, dimension / 2, dimension - 1, dimension + 1, dimension * 2]) {
    const cache = await (await harness.place(context)).open();
    const [wrong, right] = [keyOf("wrong"), keyOf("right")];
    const put = new Map([
      [wrong, makeVector(1, length)],
      [right, makeVector(2)],
    ]);
    const outcome = await outcomeOf(cache.put(put));
    if ("error" in outcome) await cache.put(new Map([[right, makeVector(2)]]));
    const found = await cache.get([wrong, right], dimension);
    checkEqual([...found.keys()], [right], `the keys found, one having ${length} numbers`);
    checkEqual((await cache.get([wrong], dimension)).size, 0, "vectors found the second time");
  }
});

for (const number of [NaN, Infinity]) {
  law(`never gives a vector that holds ${number}`, async (harness, context) => {
    const cache = await (await harness.place(context)).open();
    const vector = makeVector(1);
    vector[dimension - 1] = number;
    await outcomeOf(cache.put(new Map([[keyOf("bad"), vector]])));
    checkEqual((await cache.get([keyOf("bad")], dimension)).size, 0, "vectors found");
  });
}

law("never gives a vector without a direction", async (harness, context) => {
  const cache = await (await harness.place(context)).open();
  const [zero, good] = [keyOf("zero"), keyOf("good")];
  const put = new Map([
    [zero, new Float32Array(dimension)],
    [good, makeVector(1)],
  ]);
  await cache.put(put);
  const found = await cache.get([zero, good], dimension);
  checkEqual([...found.keys()], [good], "the keys found");
});

law("keeps its own copy of what is put and gives copies", async (harness, context) => {
  const cache = await (await harness.place(context)).open();
  const key = keyOf("copy");
  const large = new Float32Array(dimension * 3);
  large.set(makeVector(1), dimension);
  const view = large.subarray(dimension, dimension * 2);
  await cache.put(new Map([[key, view]]));
  large.fill(7);
  const first = (await cache.get([key], dimension)).get(key);
  checkSame(harness, first, makeVector(1), "the vector after the caller changed its own");
  first?.fill(9);
  const second = (await cache.get([key], dimension)).get(key);
  checkSame(harness, second, makeVector(1), "the vector after a reader changed its copy");
});

law(
  "holds no more bytes than its bound, and forgets the least recently used first",
  async (harness, context) => {
    const cache = await (await harness.place(context)).open();
    const size = 1024;
    const count = Math.ceil((harness.maxBytes * 1.6) / (size * bytesPerNumber(harness)));
    const hot = keyOf("hot");
    await cache.put(new Map([[hot, makeVector(0, size)]]));
    const step = Math.max(1, Math.floor(count / 16));
    for (let start = 0; start < count; start += step) {
      await cache.put(makeEntries(Math.min(step, count - start), start, size));
      checkEqual((await cache.get([hot], size)).size, 1, "whether the vector in use is kept");
      const { bytes, maxBytes = Infinity } = await cache.stats();
      checkThat(bytes <= maxBytes, "the bytes held", bytes, `at most ${maxBytes}`);
    }
    const newest = keyOf(`text ${count - 1}`);
    checkEqual((await cache.get([newest], size)).size, 1, "whether the newest is kept");
    const oldest = keyOf("text 0");
    checkEqual((await cache.get([oldest], size)).size, 0, "whether the oldest is kept");
    checkEqual((await cache.stats()).maxBytes, harness.maxBytes, "the bound in the stats");
  },
);

law("counts its entries, and has none after it was cleared", async (harness, context) => {
  const cache = await (await harness.place(context)).open();
  const entries = makeEntries(30);
  await cache.put(entries);
  const before = await cache.stats();
  checkEqual(before.entries, 30, "the entries");
  const least = 30 * dimension * bytesPerNumber(harness);
  checkThat(before.bytes >= least, "the bytes", before.bytes, `at least ${least}`);
  await cache.clear();
  checkEqual((await cache.stats()).entries, 0, "the entries after the clearing");
  checkEqual((await cache.get([...entries.keys()], dimension)).size, 0, "vectors after it");
  await cache.put(entries);
  await checkHolds(harness, cache, entries);
});

law("keeps the first probe of each space, whatever it forgets", async (harness, context) => {
  const cache = await (await harness.place(context)).open();
  checkEqual(await cache.probe("a"), undefined, "the probe of a space that is not known");
  checkEqual(await cache.keepProbe("a", "first"), "first", "the probe kept");
  checkEqual(await cache.keepProbe("a", "second"), "first", "the probe when another one is kept");
  checkEqual(await cache.keepProbe("b", "other"), "other", "the probe of another space");
  const size = 1024;
  const count = Math.ceil((harness.maxBytes * 1.6) / (size * bytesPerNumber(harness)));
  await cache.put(makeEntries(count, 0, size));
  await cache.put(makeEntries(count, count, size));
  checkEqual(await cache.probe("a"), "first", "the probe after vectors were forgotten");
  await cache.clear();
  checkEqual(await cache.probe("a"), undefined, "the probe after a clearing");
  checkEqual(await cache.keepProbe("a", "second"), "second", "the probe kept after a clearing");
});

lawWith(["crash"], "still has its probes after a crash", async (harness, context) => {
  const place = await harness.place(context);
  const cache = await place.open();
  await cache.keepProbe("a", "first");
  await harness.crash(place);
  const again = await place.open();
  checkEqual(await again.keepProbe("a", "second"), "first", "the probe after a crash");
});

law("takes and gives at the same time without mixing keys", async (harness, context) => {
  const cache = await (await harness.place(context)).open();
  const groups = Array.from({ length: 8 }, (_, index) => makeEntries(25, index * 25));
  await Promise.all(
    groups.map(async (group) => {
      await cache.put(group);
      await checkHolds(harness, cache, group);
    }),
  );
  for (const group of groups) await checkHolds(harness, cache, group);
});

lawWith(
  ["crash"],
  "still has every vector after a close and after a crash",
  async (harness, context) => {
    const place = await harness.place(context);
    const cache = await place.open();
    const [early, late] = [makeEntries(40), makeEntries(40, 40)];
    await cache.put(early);
    await cache.close();
    const second = await place.open();
    await checkHolds(harness, second, early);
    await second.put(late);
    await harness.crash(place);
    const third = await place.open();
    await checkHolds(harness, third, early);
    await checkHolds(harness, third, late);
  },
);

lawWith(
  ["tamper"],
  "gives nothing rather than a vector that was damaged",
  async (harness, context) => {
    const zero = new Uint8Array(dimension * 4);
    const odd = new Uint8Array(dimension * 2 + 1).fill(1);
    for (const bytes of [new Uint8Array(0), zero.subarray(1), zero, odd, nanBytes()]) {
      const place = await harness.place(context);
      const cache = await place.open();
      const [bad, good] = [keyOf("text 0"), keyOf("text 1")];
      await cache.put(makeEntries(2));
      await harness.tamper(place, bad, bytes);
      const outcome = await outcomeOf(cache.get([bad, good], dimension));
      if ("error" in outcome) {
        const code = isFault(outcome.error) ? outcome.error.code : outcome.error;
        checkEqual(code, "cache.unusable", "the code of the rejection");
        continue;
      }
      checkEqual([...outcome.value.keys()], [good], "the keys found");
      checkEqual((await cache.stats()).entries, 1, "the entries after the damaged one was met");
    }
  },
);

law("closes twice", async (harness, context) => {
  const cache = await (await harness.place(context)).open();
  await cache.put(makeEntries(3));
  await cache.close();
  await cache.close();
});

/** What a number takes at least: those who keep it bit by bit need four bytes. */
function bytesPerNumber({ minCosine }: CacheHarness): number {
  return minCosine === undefined ? 4 : 2;
}

async function checkHolds(
  harness: CacheHarness,
  cache: EmbeddingCache,
  entries: ReadonlyMap<string, Float32Array>,
): Promise<void> {
  const found = await cache.get([...entries.keys()], dimension);
  checkEqual(found.size, entries.size, "the vectors found");
  for (const [key, vector] of entries) {
    checkSame(harness, found.get(key), vector, `the vector of ${key}`);
  }
}

function checkSame(
  { minCosine }: CacheHarness,
  received: Float32Array | undefined,
  expected: Float32Array,
  what: string,
): void {
  if (minCosine === undefined) return checkVector(received, expected, what);
  checkThat(received !== undefined, what, received, `a vector of ${expected.length} numbers`);
  checkEqual(received.length, expected.length, `${what}, its length`);
  const cosine = cosineOf(received, expected);
  checkThat(cosine >= minCosine, `${what}, its cosine`, cosine, `at least ${minCosine}`);
}

function cosineOf(a: Float32Array, b: Float32Array): number {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}

function makeEntries(count: number, start = 0, length = dimension): Map<string, Float32Array> {
  const numbers = Array.from({ length: count }, (_, index) => start + index);
  return new Map(numbers.map((number) => [keyOf(`text ${number}`), makeVector(number, length)]));
}

function makeVector(number: number, length = dimension): Float32Array {
  return Float32Array.from({ length }, (_, index) => Math.sin(number * 31 + index) / 3);
}

function nanBytes(): Uint8Array {
  const vector = makeVector(1);
  vector[0] = NaN;
  return new Uint8Array(vector.buffer);
}

function keyOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** What every embedding cache promises. */
export function cacheLaws<Place extends CachePlace>(harness: CacheHarness<Place>): Law[] {
  return bindLaws(harness, book.definitions as readonly LawDefinition<CacheHarness<Place>>[]);
}
