import { describe, expect, it } from "vitest";
import {
  candidates,
  idsOf,
  nameOf,
} from "../../../../../connectors/embedders/qwen3/runtime/devices.ts";
import { type Device, Runtime } from "../../../../../connectors/embedders/qwen3/runtime/index.ts";
import { WebgpuPermit } from "../../../../../connectors/embedders/qwen3/runtime/webgpu-permit.ts";
import { noAbort, optionsOf, tinyModel } from "./tiny-model.ts";

/** The whole message of the fault that opening ends with. */
async function refusal(device: Device, deviceIds: readonly number[] = []): Promise<string> {
  const opening = Runtime.open({ ...optionsOf(tinyModel(), device), deviceIds }, noAbort);
  const error: unknown = await opening.then(
    (runtime) => runtime.close(),
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: "embed.device", scope: "component", retry: "never" });
  return (error as Error).message;
}

describe("the devices", () => {
  it("are tried one by one, the CPU last", () => {
    expect(candidates("auto")).toContain("webgpu");
    expect(candidates("auto").at(-1)).toBe("cpu");
    expect(candidates("cuda")).toEqual(["cuda"]);
  });

  it("have numbers where a machine may have several", () => {
    expect(idsOf("cuda", "cuda", [])).toEqual([0]);
    expect(idsOf("cuda", "auto", [1, 3, 1])).toEqual([1, 3]);
    expect(idsOf("webgpu", "auto", [1])).toEqual([0]);
    expect([nameOf("cuda", 3), nameOf("webgpu", 0), nameOf("cpu", 0)]).toEqual([
      "cuda:3",
      "webgpu",
      "cpu",
    ]);
  });

  it("refuse numbers that are none, and numbers of a kind that has one", async () => {
    expect(await refusal("cuda", [-1])).toMatch(/-1; they are numbers from 0/);
    expect(await refusal("cpu", [0])).toMatch(/of `cpu` only the first can be used/);
  });

  it.runIf(process.platform === "linux")(
    "that no build has for this platform are refused by name",
    async () => {
      expect(await refusal("coreml")).toMatch(/has no `coreml` for linux/);
      expect(await refusal("dml")).toMatch(/has no `dml` for linux/);
    },
  );

  it.runIf(process.platform === "linux" && process.arch === "x64")(
    "want CUDA's libraries, which no install of this project fetches, and say how they get there",
    async () => {
      expect(await refusal("cuda")).toMatch(/install\.js --onnxruntime-node-install`/);
    },
  );

  it("fall back to the CPU with `auto`, which says why no other was chosen", async () => {
    const runtime = await Runtime.open(optionsOf(tinyModel(), "auto"), noAbort);
    await runtime.close();
    expect(runtime.concurrency).toBe(2 * runtime.devices.length);
    const [chosen, ...others] = runtime.notes();
    expect(chosen).toMatchObject({
      level: "info",
      message: `The model runs on \`${runtime.devices[0]}\`.`,
    });
    const tried = candidates("auto");
    const kind = runtime.devices[0]!.replace(/:.*/, "");
    expect(others).toHaveLength(tried.findIndex((name) => name === kind));
  });
});

describe("a device of which there is one", () => {
  it("says with `auto` that numbers have no effect on it", async () => {
    const options = { ...optionsOf(tinyModel(), "auto"), deviceIds: [0] };
    const runtime = await Runtime.open(options, noAbort);
    await runtime.close();
    const said = runtime.notes().some(({ message }) => /device_ids.* has no effect/.test(message));
    expect(said).toBe(!/^(?:cuda|dml)/.test(runtime.devices[0]!));
  });
});

describe("WebGPU", () => {
  it("is given to one at a time, and once more after it was given back", () => {
    const permit = WebgpuPermit.take();
    expect(() => WebgpuPermit.take()).toThrow(/in use by another model of this process/);
    permit.give();
    const next = WebgpuPermit.take();
    // Giving back twice takes nothing from the next one.
    permit.give();
    expect(() => WebgpuPermit.take()).toThrow(expect.objectContaining({ code: "embed.device" }));
    next.give();
  });
});
