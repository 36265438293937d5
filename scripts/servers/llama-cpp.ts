import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execute } from "./execute.ts";
import { makePython } from "./python.ts";
import type { ServerKind } from "./server-kind.ts";
import { type TinyModelMistakes, writeTinyModel } from "./tiny-model.ts";

const version = "2026.10.11549";
const python = "venv/bin/python";
const script = fileURLToPath(new URL("llama-cpp.py", import.meta.url));

/**
 * llama.cpp's server with the tests' tiny Qwen3-Embedding, in 32 bits: a real server with OpenAI's embeddings API. It
 * comes with a Python package, compiled and without dependencies.
 */
export const llamaCpp: ServerKind<"http"> = llamaCppWith({});

/** The same with a file of the model that has mistakes. */
export function llamaCppWith(mistakes: TinyModelMistakes): ServerKind<"http"> {
  return {
    name: "llama-cpp",
    version,
    portNames: ["http"],
    program: python,
    installTakes: "about 10 s",
    stopSignal: "SIGTERM",

    async install(folder) {
      const interpreter = await makePython(join(folder, "venv"), [`xllamacpp==${version}`]);
      await execute(interpreter, ["-c", "import xllamacpp"], { timeoutMs: 60_000 });
    },

    async launch({ installed, scratch, ports }) {
      const model = join(scratch, "tiny-qwen3.gguf");
      await writeTinyModel(model, mistakes);
      return {
        program: join(installed, python),
        // Only the last token's state can be had from a text that is read in parts.
        args: [script, model, String(ports.http), mistakes.pooling === "mean" ? "512" : "128"],
        environment: { PYTHONUNBUFFERED: "1", PYTHONDONTWRITEBYTECODE: "1" },
      };
    },

    async ready({ ports }, signal) {
      // It answers with 503 while it loads its model.
      const { status } = await fetch(`http://127.0.0.1:${ports.http}/health`, { signal });
      if (status !== 200) throw new Error(`llama.cpp answers with ${status}.`);
    },

    address: ({ http }) => `http://127.0.0.1:${http}/v1`,
  };
}
