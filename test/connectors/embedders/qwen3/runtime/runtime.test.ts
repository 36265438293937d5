import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Runtime } from "../../../../../connectors/embedders/qwen3/runtime/index.ts";
import { Place } from "../../../../../connectors/embedders/qwen3/runtime/place.ts";
import { workerFile } from "../../../../../connectors/embedders/qwen3/runtime/worker-file.ts";
import { goldens, noAbort, optionsOf, rows, wrongOnes } from "./tiny-model.ts";

const runtimeUrl = new URL(
  "../../../../../connectors/embedders/qwen3/runtime/index.ts",
  import.meta.url,
).href;
const tinyModelUrl = new URL("./tiny-model.ts", import.meta.url).href;
const long = rows.find((row) => row.length === 374)!;

describe("a runtime", () => {
  let runtime: Runtime;

  beforeAll(async () => {
    runtime = await Runtime.open(optionsOf(), noAbort);
  });
  afterAll(() => runtime.close());

  it("counts texts, tokens and padding of every batch", async () => {
    const [before] = runtime.measures();
    await runtime.run([Int32Array.of(1, 2, 3), Int32Array.of(1), Int32Array.of(1, 2)], noAbort);
    await runtime.run([Int32Array.of(4)], noAbort);
    const [after] = runtime.measures();
    expect(after).toMatchObject({
      place: "cpu",
      inFlight: 0,
      window: 2,
      ejected: false,
      errors: {},
    });
    expect(after!.batches - before!.batches).toBe(2);
    expect(after!.texts - before!.texts).toBe(4);
    expect(after!.tokens - before!.tokens).toBe(7);
    expect(after!.padding - before!.padding).toBe(3);
    expect(after!.latency.p50).toBeGreaterThan(0);
    expect(after!.latency.p99).toBeGreaterThanOrEqual(after!.latency.p50);
  });

  it("gives many calls at once their own vectors", async () => {
    const calls = await Promise.all(rows.map((row) => runtime.run([row], noAbort)));
    expect(wrongOnes(calls.flat(), goldens.tolerance.fp32)).toEqual([]);
  });

  it("leaves the main thread free while it computes", async () => {
    const sixteen = Array.from({ length: 16 }, () => long);
    await runtime.run(sixteen, noAbort);
    const spent = process.threadCpuUsage();
    const started = process.cpuUsage();
    await runtime.run(sixteen, noAbort);
    const { user, system } = process.threadCpuUsage(spent);
    const all = process.cpuUsage(started);
    // In microseconds of the processor, so that others on the machine count for nothing.
    expect(user + system).toBeLessThan(50_000);
    expect(all.user + all.system).toBeGreaterThan(2 * (user + system));
  });

  it("rejects at once on abort, skips what waits, and computes the next call", async () => {
    const stop = new AbortController();
    const eight = Array.from({ length: 8 }, () => long);
    const calls = Array.from({ length: 6 }, () => runtime.run(eight, stop.signal));
    const [before] = runtime.measures();
    stop.abort(new Error("stopped"));
    const settled = await Promise.allSettled(calls);
    expect(settled).toMatchObject(
      calls.map(() => ({ status: "rejected", reason: { message: "stopped" } })),
    );
    const vectors = await runtime.run([rows[5]!], noAbort);
    expect(wrongOnes(vectors, goldens.tolerance.fp32, [goldens.items[5]!])).toEqual([]);
    const [after] = runtime.measures();
    expect(after!.batches - before!.batches).toBe(1);
    expect(after!.errors).toEqual({});
    await expect(runtime.run([rows[5]!], stop.signal)).rejects.toThrow("stopped");
  });

  it("gives nothing for nothing, and refuses a row without tokens as a defect of ours", async () => {
    expect(await runtime.run([], noAbort)).toEqual([]);
    await expect(runtime.run([new Int32Array(0)], noAbort)).rejects.toThrow(/without tokens/);
  });

  it("opens in a program that was given as text, whose options no thread takes", async () => {
    const program =
      `import { Runtime } from ${JSON.stringify(runtimeUrl)};` +
      `import { noAbort, optionsOf } from ${JSON.stringify(tinyModelUrl)};` +
      "const runtime = await Runtime.open(optionsOf(), noAbort);" +
      "console.log(runtime.devices.join()); await runtime.close();";
    const given = ["--input-type=module", "--eval", program];
    expect((await promisify(execFile)(process.execPath, given)).stdout.trim()).toBe("cpu");
  });

  it("is not opened without a self-test", async () => {
    const opening = Runtime.open({ ...optionsOf(), selfTest: [] }, noAbort);
    await expect(opening).rejects.toThrow(/wants rows/);
  });
});

describe("closing", () => {
  it("while runs are under way never rejects, ends them, and leaves no thread", async () => {
    const program = fileURLToPath(new URL("./close-under-way.ts", import.meta.url));
    // A thread that is left would hold the program until the time is over.
    const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 19_000 });
    expect(["aborted", "vectors"]).toEqual(expect.arrayContaining(JSON.parse(stdout) as string[]));
    expect(JSON.parse(stdout)).toContain("aborted");
  });

  it("refuses whoever comes later", async () => {
    const runtime = await Runtime.open(optionsOf(), noAbort);
    await runtime.close();
    await expect(runtime.run([rows[0]!], noAbort)).rejects.toMatchObject({ code: "aborted" });
  });

  it("of a thread that is aborted while it loads is told to whoever opened it", async () => {
    const stop = new AbortController();
    const endings: Promise<boolean>[] = [];
    const { model } = optionsOf();
    const opening = Place.open(
      {
        kind: "cpu",
        deviceId: 0,
        name: "cpu",
        model,
        workerFile,
        abandon: (ending) => void endings.push(ending),
      },
      stop.signal,
    );
    stop.abort(new Error("stopped"));
    await expect(opening).rejects.toThrow("stopped");
    expect(endings).toHaveLength(1);
    expect(await Promise.all(endings)).toEqual([true]);
  });

  it("comes from an abort while it opens, at once", async () => {
    const stop = new AbortController();
    const opening = Runtime.open(optionsOf(), stop.signal);
    stop.abort(new Error("stopped"));
    await expect(opening).rejects.toThrow("stopped");
  });
});
