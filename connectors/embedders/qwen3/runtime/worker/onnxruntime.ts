import type * as OnnxRuntime from "onnxruntime-node";
import { ProblemError } from "./problem-error.ts";

export type Onnx = typeof OnnxRuntime;

/** Loads the native package, on first use. */
export async function loadOnnx(): Promise<Onnx> {
  try {
    const loaded = (await import("onnxruntime-node")) as Onnx & { readonly default?: Onnx };
    const onnx = loaded.default ?? loaded;
    // What fails is told by its error; the library would also write to the standard error stream.
    onnx.env.logLevel = "fatal";
    return onnx;
  } catch (cause) {
    throw new ProblemError("package", cause instanceof Error ? cause.message : "", cause);
  }
}
