import { define } from "../../../src/contracts/index.ts";
import { qwen3Config } from "./config.ts";
import { Qwen3Embedder } from "./embedder.ts";

/** Qwen3-Embedding and models of its kind, inside the process, on a GPU or the CPU. */
export const qwen3Embedder = define({
  kind: "embedder",
  type: "qwen3",
  revision: 1,
  summary:
    "Runs Qwen3-Embedding, or an ONNX model of its kind, inside the process, on a GPU or the CPU.",
  stability: "beta",
  config: qwen3Config,
  examples: [
    { title: "A model that was pulled", config: { model: "Qwen/Qwen3-Embedding-0.6B" } },
    {
      title: "A folder of your own, on two GPUs",
      config: {
        model: "our-qwen3",
        path: "./models/our-qwen3",
        file: "onnx/model_fp16.onnx",
        device: "cuda",
        device_ids: [0, 1],
        matryoshka: true,
        min_dimension: 64,
      },
    },
    {
      title: "Texts of any length, on the CPU",
      config: {
        model: "Qwen/Qwen3-Embedding-0.6B",
        device: "cpu",
        threads: 8,
        oversize: "split",
      },
    },
  ],
  packages: ["onnxruntime-node"],
  create: (config, context) => new Qwen3Embedder(config, context),
});
