import { afterEach, describe, expect, it, vi } from "vitest";
import { Place } from "../../../../../connectors/embedders/qwen3/runtime/place.ts";
import { batchOf } from "../../../../../connectors/embedders/qwen3/runtime/batch.ts";
import { Runtime } from "../../../../../connectors/embedders/qwen3/runtime/index.ts";
import { systemClock } from "../../../../../src/flow/index.ts";
import { goldens, noAbort, optionsOf, rows, tinyModel, wrongOnes } from "./tiny-model.ts";

const workerFile = new URL("./numbered-worker.ts", import.meta.url);
/** Only `sentence-2` has this id, and no row of the self-test. */
const trigger = 1882;
const guilty = rows.findIndex((row) => row.includes(trigger));
const other = rows.findIndex((row) => row.length === 17);
const opened: Runtime[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(opened.splice(0).map((runtime) => runtime.close()));
});

async function open(asked: Readonly<Record<string, string>>, clock = systemClock) {
  vi.stubEnv("NUMBERED_WORKER", String(new URLSearchParams(asked)));
  const options = { ...optionsOf(tinyModel(), "cuda"), deviceIds: [0, 1], clock };
  const runtime = await Runtime.open(options, noAbort, workerFile);
  opened.push(runtime);
  return runtime;
}

function batchesOf(runtime: Runtime): readonly number[] {
  return runtime.measures().map(({ batches }) => batches);
}

async function hanging(kind: "cpu" | "webgpu", patienceMs: number): Promise<Place> {
  vi.stubEnv(
    "NUMBERED_WORKER",
    String(new URLSearchParams({ how: "hang", trigger: `${trigger}` })),
  );
  const options = { kind, deviceId: 0, name: kind, model: tinyModel() } as const;
  return Place.open({ ...options, workerFile, patienceMs }, noAbort);
}

describe("several devices", () => {
  it("share the batches, and give every one its own vectors", async () => {
    const runtime = await open({});
    expect(runtime.devices).toEqual(["cuda:0", "cuda:1"]);
    const vectors = await Promise.all(rows.map((row) => runtime.run([row], noAbort)));
    expect(wrongOnes(vectors.flat(), goldens.tolerance.fp32)).toEqual([]);
    const counts = batchesOf(runtime);
    expect(counts[0]! + counts[1]!).toBe(rows.length);
    // Each gets two at once, before any is done; how many more is up to the machine.
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(2);
  });

  it("take over the batch of one that fails, which gets no more until its pause is over", async () => {
    let passed = 0;
    const clock = { ...systemClock, monotonic: () => performance.now() + passed };
    const runtime = await open({ failing: "0", trigger: String(trigger) }, clock);
    const vectors = await runtime.run([rows[guilty]!], noAbort);
    expect(wrongOnes(vectors, goldens.tolerance.fp32, [goldens.items[guilty]!])).toEqual([]);
    expect(runtime.measures().map(({ ejected }) => ejected)).toEqual([true, false]);
    expect(runtime.notes()).toContainEqual({
      level: "warning",
      message: expect.stringMatching(/`cuda:0` failed.*fallen off the bus/),
    });
    await Promise.all(rows.map((row) => runtime.run([row], noAbort)));
    expect(batchesOf(runtime)).toEqual([0, rows.length + 1]);
    passed = 60_001;
    await Promise.all([other, other].map((row) => runtime.run([rows[row]!], noAbort)));
    expect(batchesOf(runtime)[0]).toBe(1);
    expect(runtime.measures().map(({ ejected }) => ejected)).toEqual([false, false]);
    expect(runtime.notes().some(({ level }) => level === "warning")).toBe(false);
  });

  it("all stay in use after a batch that every one fails at", async () => {
    const runtime = await open({ failing: "0,1", trigger: String(trigger) });
    await expect(runtime.run([rows[guilty]!], noAbort)).rejects.toMatchObject({
      code: "embed.crashed",
      scope: "component",
    });
    expect(runtime.measures().map(({ ejected }) => ejected)).toEqual([false, false]);
  });

  it("are named by their numbers where one is none", async () => {
    await expect(open({ missing: "1" })).rejects.toMatchObject({
      code: "embed.device",
      message: expect.stringContaining("`cuda:1` cannot be used. CUDA failure 101"),
    });
  });
});

describe("a thread that never answers", () => {
  it("is given up, also by closing, and a fresh one takes the next batch", async () => {
    const place = await hanging("cpu", 1_000);
    const guiltyBatch = batchOf([rows[guilty]!]);
    await expect(place.run(guiltyBatch, noAbort, 1)).rejects.toMatchObject({
      code: "embed.crashed",
      message: expect.stringContaining("no answer"),
    });
    await expect(place.run(batchOf([rows[other]!]), noAbort)).resolves.toBeInstanceOf(Float32Array);
    const hung = place.run(guiltyBatch, noAbort, 1).catch((error: unknown) => error);
    expect(await place.close()).toBe(false);
    expect(await hung).toMatchObject({ code: "aborted" });
  });

  it.each(["load", "close"])("because it ends at `%s` is not waited for", async (kind) => {
    vi.stubEnv("NUMBERED_WORKER", String(new URLSearchParams({ "dies-at": kind })));
    const opening = Runtime.open(optionsOf(), noAbort, workerFile);
    if (kind === "close") await (await opening).close();
    else {
      await expect(opening).rejects.toMatchObject({
        code: "embed.device",
        message: expect.stringMatching(/thread for `cpu` ended.*code 9/),
      });
    }
  });

  it("on WebGPU gets no second one beside it, which would end the process", async () => {
    const place = await hanging("webgpu", 1_000);
    const hung = place.run(batchOf([rows[guilty]!]), noAbort, 1);
    await expect(hung).rejects.toMatchObject({ code: "embed.crashed" });
    await expect(place.run(batchOf([rows[other]!]), noAbort)).rejects.toMatchObject({
      code: "embed.device",
      message: expect.stringContaining("`webgpu` hangs"),
    });
    expect(await place.close()).toBe(false);
  });
});
