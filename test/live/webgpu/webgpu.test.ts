import { expect, it } from "vitest";
import { describeWebgpu, runOnWebgpu } from "./software-gpu.ts";

/** The first run builds every program of the GPU, on a CPU that others use too. */
const minutes = 60_000;

describeWebgpu(() => {
  it(
    "a plain graph passes the self-test, gives PyTorch's vectors, and a second model is refused",
    { timeout: 5 * minutes },
    async () => {
      const told = await runOnWebgpu("embed-goldens.ts", "model", "webgpu");
      expect(told).toMatchObject({
        devices: ["webgpu"],
        notes: [{ level: "info", message: "The model runs on `webgpu`." }],
        wrong: [],
        second: expect.stringMatching(/in use by another model of this process/),
        measures: [{ place: "webgpu", errors: {} }],
      });
    },
  );

  it(
    "a graph with fused attention, which is wrong there from 32 tokens on, is refused by the self-test",
    { timeout: 5 * minutes },
    async () => {
      const told = await runOnWebgpu("embed-goldens.ts", "model_kv_gqa", "webgpu");
      expect(told).toMatchObject({
        code: "embed.device",
        message: expect.stringMatching(/`webgpu` (?:a text of|computes another vector)/),
      });
    },
  );

  it(
    "`auto` passes over it with a warning, and the CPU gives PyTorch's vectors",
    { timeout: 5 * minutes },
    async () => {
      const told = await runOnWebgpu("embed-goldens.ts", "model_kv_gqa", "auto", "fp32");
      expect(told).toMatchObject({
        devices: ["cpu"],
        notes: [
          { level: "info", message: "The model runs on `cpu`." },
          { level: "info", message: expect.stringMatching(/^`cuda` cannot be used/) },
          { level: "warning", message: expect.stringMatching(/cosine/) },
        ],
        wrong: [],
        second: ["cpu"],
      });
    },
  );

  it(
    "`auto` passes over a GPU in software, which is slower than the CPU, and says so",
    { timeout: 5 * minutes },
    async () => {
      const told = await runOnWebgpu("embed-goldens.ts", "model", "auto", "fp32");
      const slow = /^`webgpu` takes \d+ ms for what the CPU does in \d+ ms/;
      expect(told).toMatchObject({
        devices: ["cpu"],
        notes: [{ level: "info" }, { level: "info" }, { message: expect.stringMatching(slow) }],
        wrong: [],
      });
    },
  );

  it(
    "a graph of 16-bit floats is refused with the reason, since this GPU has none",
    { timeout: 5 * minutes },
    async () => {
      const told = await runOnWebgpu("embed-goldens.ts", "model_fp16", "webgpu", "fp16");
      expect(told).toMatchObject({
        code: "embed.device",
        message: expect.stringMatching(
          /^`webgpu` cannot run the model\. .*(?:f16|float16|shader)/i,
        ),
      });
    },
  );
});
