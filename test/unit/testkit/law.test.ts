import { AssertionError } from "node:assert";
import { describe, expect, it } from "vitest";
import { checkEqual } from "../../../src/testkit/check.ts";
import {
  bindLaws,
  lawBook,
  type LawContext,
  type LawHarness,
  type Waivers,
} from "../../../src/testkit/law.ts";
import { brokenLaws, registerLaws, runLaw } from "../../../src/testkit/run-laws.ts";

interface NumberHarness extends LawHarness {
  readonly number: number;
  readonly half?: (number: number) => number;
}

const book = lawBook<NumberHarness>();
book.law("is even", async (harness) => checkEqual(harness.number % 2, 0, "the remainder"));
book.lawWith(["half"], "is twice its half", async (harness) =>
  checkEqual(harness.half(harness.number) * 2, harness.number, "twice the half"),
);

const half = (number: number): number => number / 2;

function lawsOf(harness: NumberHarness) {
  return bindLaws(harness, book.definitions);
}

async function brokenNames(harness: NumberHarness): Promise<string[]> {
  return (await brokenLaws(lawsOf(harness))).map((law) => law.name);
}

function waiving(notSupported: Waivers, harness: Partial<NumberHarness> = {}): NumberHarness {
  return { number: 4, notSupported, ...harness };
}

describe("laws", () => {
  it("hold for what keeps them and break for what does not", async () => {
    expect(await brokenNames({ number: 4, half })).toEqual([]);
    expect(await brokenNames({ number: 3, half })).toEqual(["is even"]);
    expect(await brokenNames({ number: 4, half: () => 1 })).toEqual(["is twice its half"]);
  });

  it("show the received value beside the expected one", async () => {
    const [law] = lawsOf({ number: 3, half });
    const broken = law === undefined ? undefined : runLaw(law);
    await expect(broken).rejects.toMatchObject({
      name: "AssertionError",
      message: expect.stringContaining("the remainder: received 1, expected 0."),
      actual: 1,
      expected: 0,
    });
  });

  it("break when the harness lacks a part and gives no reason", async () => {
    expect(await brokenNames({ number: 4 })).toEqual(["is twice its half"]);
  });

  it("are left out with a reason, and a law names it", async () => {
    const harness = waiving({ half: "Numbers are atoms." });
    expect(lawsOf(harness).map((law) => law.name)).toEqual([
      "is even",
      "does without `half` (Numbers are atoms.)",
    ]);
    expect(await brokenNames(harness)).toEqual([]);
  });

  it("break when a waiver is stale, unknown or without a reason", async () => {
    const stale = waiving({ half: "Numbers are atoms." }, { half });
    expect(await brokenNames(stale)).toEqual(["does without `half` (Numbers are atoms.)"]);
    const unknown = waiving({ third: "No thirds." }, { half });
    expect(await brokenNames(unknown)).toEqual(["does without `third` (No thirds.)"]);
    expect(await brokenNames(waiving({ half: " " }))).toHaveLength(1);
  });

  it("turn into their contrary when a law itself is waived", async () => {
    const odd = waiving({ "is even": "It counts odd things." }, { half, number: 3 });
    expect(await brokenNames(odd)).toEqual([]);
    const even = waiving({ "is even": "It counts odd things." }, { half });
    expect(await brokenNames(even)).toEqual(["breaks: is even"]);
  });
});

describe("a running law", () => {
  it("is cleaned up after, the last thing first, also when it breaks", async () => {
    const done: string[] = [];
    const run = async (context: LawContext): Promise<void> => {
      context.defer(() => done.push("first"));
      context.defer(async () => done.push("second"));
      throw new AssertionError({ message: "broken" });
    };
    await expect(runLaw({ name: "a law", run })).rejects.toThrow("broken");
    expect(done).toEqual(["second", "first"]);
  });

  it("breaks when it does not end in time, and its signal aborts", async () => {
    let signal: AbortSignal | undefined;
    const run = (context: LawContext): Promise<void> => {
      signal = context.signal;
      return new Promise(() => {});
    };
    const endless = runLaw({ name: "an endless law", run }, { timeoutMs: 5 });
    await expect(endless).rejects.toThrow('"an endless law" did not end within 5 ms');
    expect(signal?.aborted).toBe(true);
  });

  it("becomes one test of whichever runner is given", async () => {
    const tests: [string, () => Promise<void>][] = [];
    const titles: string[] = [];
    registerLaws(
      lawsOf({ number: 3, half }),
      {
        describe: (title, body) => {
          titles.push(title);
          body();
        },
        it: (name, body) => tests.push([name, body]),
      },
      { title: "three" },
    );
    expect(titles).toEqual(["three"]);
    expect(tests.map(([name]) => name)).toEqual(["is even", "is twice its half"]);
    await expect(tests[0]?.[1]()).rejects.toThrow("the remainder");
    await expect(tests[1]?.[1]()).resolves.toBeUndefined();
  });
});
