import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { Runtime } from "../../../../../connectors/embedders/qwen3/runtime/index.ts";
import { goldens, noAbort, optionsOf, rows, wrongOnes } from "./tiny-model.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-runtime-"));
const deaths = join(folder, "deaths");
/** Only `sentence-2` has this id, and no row of the self-test. */
const trigger = 1882;
const guilty = rows.findIndex((row) => row.includes(trigger));
const opened: Runtime[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(opened.splice(0).map((runtime) => runtime.close()));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function openFaulty(asked: Readonly<Record<string, string>>): Promise<Runtime> {
  writeFileSync(deaths, "");
  vi.stubEnv("FAULTY_WORKER", String(new URLSearchParams({ ...asked, deaths })));
  const file = new URL("./faulty-worker.ts", import.meta.url);
  const runtime = await Runtime.open(optionsOf(), noAbort, file);
  opened.push(runtime);
  return runtime;
}

describe("a thread that dies", () => {
  for (const how of ["exit", "throw", "fail"]) {
    it(`by ${how} is started again, and all batches under way get their vectors`, async () => {
      const runtime = await openFaulty({ how, most: "2", trigger: String(trigger) });
      const calls = [rows.slice(0, 4), rows.slice(4, guilty + 1), rows.slice(guilty + 1)];
      const vectors = await Promise.all(calls.map((call) => runtime.run(call, noAbort)));
      expect(wrongOnes(vectors.flat(), goldens.tolerance.fp32)).toEqual([]);
      expect(readFileSync(deaths, "utf8")).toBe("xx");
    });
  }

  it("three times in a row is a fault of the component, and the next call starts it again", async () => {
    const runtime = await openFaulty({ how: "exit", most: "3", trigger: String(trigger) });
    await expect(runtime.run([rows[guilty]!], noAbort)).rejects.toMatchObject({
      code: "embed.crashed",
      scope: "component",
      retry: "later",
      message: expect.stringContaining("code 7"),
    });
    expect(runtime.measures()).toMatchObject([{ errors: { "embed.crashed": 1 }, inFlight: 0 }]);
    const vectors = await runtime.run([rows[guilty]!], noAbort);
    expect(wrongOnes(vectors, goldens.tolerance.fp32, [goldens.items[guilty]!])).toEqual([]);
  });
});

describe("too little memory", () => {
  it("halves a batch until it has room, and gives every vector in its order", async () => {
    // The self-test's longest row has 89 tokens, and alone it has room.
    const runtime = await openFaulty({ room: "400" });
    const vectors = await runtime.run(rows, noAbort).catch((error: unknown) => error);
    expect(vectors).toMatchObject([...rows.keys()].map(() => expect.any(Float32Array)));
    expect(wrongOnes(vectors as Float32Array[], goldens.tolerance.fp32)).toEqual([]);
    const [measures] = runtime.measures();
    expect(measures!.errors["embed.out-of-memory"]).toBeGreaterThan(1);
  });

  it("for a row alone is the fault of that document, which the caller finds by halving", async () => {
    const runtime = await openFaulty({ room: "360" });
    const long = rows.find((row) => row.length === 374)!;
    await expect(runtime.run([long], noAbort)).rejects.toMatchObject({
      code: "embed.out-of-memory",
      scope: "document",
      retry: "never",
      message: expect.stringContaining("374 tokens"),
    });
    await expect(runtime.run([rows[0]!, long], noAbort)).rejects.toMatchObject({
      code: "embed.out-of-memory",
      retry: "smaller",
    });
    await expect(runtime.run([rows[0]!], noAbort)).resolves.toHaveLength(1);
  });

  it.runIf(existsSync("/usr/bin/prlimit"))(
    "of the real system is met by halving, and every vector is right",
    async () => {
      const program = fileURLToPath(new URL("./little-memory.ts", import.meta.url));
      const { stdout } = await promisify(execFile)(process.execPath, [program]);
      const told: unknown = JSON.parse(stdout);
      expect(told).toMatchObject({ vectors: 60, wrong: [] });
      expect(told).toHaveProperty(["errors", "embed.out-of-memory"]);
    },
  );

  it("is remembered, so that later batches are cut before they fail", async () => {
    const runtime = await openFaulty({ room: "400" });
    const eight = Array.from({ length: 8 }, () => rows.find((row) => row.length === 89)!);
    await runtime.run(eight, noAbort);
    const failures = runtime.measures()[0]!.errors["embed.out-of-memory"];
    await runtime.run(eight, noAbort);
    expect(runtime.measures()[0]!.errors["embed.out-of-memory"]).toBe(failures);
  });
});

describe("a batch that nobody waits for any more", () => {
  it("is not computed, though it waits in the thread already", async () => {
    const runtime = await openFaulty({ how: "count" });
    const opening = readFileSync(deaths).length;
    const stop = new AbortController();
    const many = [rows, rows, rows, rows].flat();
    const calls = Array.from({ length: 6 }, () => runtime.run(many, stop.signal));
    // Two are sent before the turn of the event loop ends; the first takes far longer than that.
    await new Promise((resolve) => void setImmediate(resolve));
    stop.abort(new Error("stopped"));
    await Promise.allSettled(calls);
    await runtime.run([rows[0]!], noAbort);
    // The one that may have begun, and the last.
    expect(readFileSync(deaths).length - opening).toBeLessThanOrEqual(2);
  });
});

describe("numbers that are not finite", () => {
  it("are named, and are the fault of the document", async () => {
    const runtime = await openFaulty({ how: "not-finite", trigger: String(trigger) });
    await expect(runtime.run([rows[guilty]!], noAbort)).rejects.toMatchObject({
      code: "embed.not-finite",
      scope: "document",
      retry: "never",
      message: expect.stringContaining("NaN"),
    });
    await expect(runtime.run([rows[0]!, rows[guilty]!], noAbort)).rejects.toMatchObject({
      retry: "smaller",
    });
  });
});
