import { basename } from "node:path";
import { Fault } from "../../../../src/faults/index.ts";
import type { Batch } from "./batch.ts";
import type { DeviceKind, GraphModel } from "./options.ts";
import type { Failed } from "./protocol.ts";

/** Its install program fetches CUDA's libraries, and where it cannot, the whole installation fails. */
const install = "npm install --ignore-scripts onnxruntime-node";
/** How the libraries come that are no part of the package. */
const cudaLibraries =
  "CUDA's libraries are no part of the package: its install program fetches them from outside the npm registry. Run " +
  "`node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install`, and install CUDA 12 and cuDNN 9.";

/** The fault for what a thread could not do when it loaded the model, or at its first runs. */
export function loadFault(
  failed: Failed,
  { kind, shown }: { readonly kind: DeviceKind; readonly shown: string },
  model: GraphModel,
): Fault {
  const { problem, message } = failed;
  const file = basename(model.file);
  switch (problem) {
    case "package":
      return packageFault(message);
    case "model":
      return new Fault(
        "embed.model",
        `\`${model.file}\` cannot be used. ${sentence(message)} Choose another \`file\`, or fetch the model again with ` +
          "`sluice models pull`.",
      );
    case "memory":
      return new Fault(
        "embed.device",
        `\`${shown}\` has not enough memory for \`${file}\`. ${sentence(message)} Choose a smaller model or file.`,
      );
    case "not-finite":
      return new Fault(
        "embed.device",
        `\`${shown}\` gives numbers that are not finite with \`${file}\`. ${sentence(message)} Choose a file of higher ` +
          "precision, or another `device`.",
      );
    default:
      return new Fault(
        "embed.device",
        `\`${shown}\` cannot be used. ${deviceReason(kind, message)}`,
      );
  }
}

/** The fault for a batch that is itself to blame; undefined when the device is, and the batch is worth another try. */
export function batchFault(
  { problem, message }: Failed,
  batch: Batch,
  place: string,
  model: GraphModel,
): Fault | undefined {
  const single = batch.rows.length === 1;
  const retry = single ? "never" : "smaller";
  const what = single ? `a text of ${batch.columns} tokens` : `${batch.rows.length} texts`;
  const file = basename(model.file);
  switch (problem) {
    case "memory":
      return new Fault(
        "embed.out-of-memory",
        `\`${place}\` has not enough memory for ${what}. ${sentence(message)} Lower \`chunker.max_tokens\`, or choose ` +
          "another `device`.",
        { retry },
      );
    case "not-finite":
      return new Fault(
        "embed.not-finite",
        `\`${file}\` on \`${place}\` gave numbers that are not finite (NaN) for ${what}. ${sentence(message)} Choose a ` +
          "file of higher precision, or another `device`.",
        { retry },
      );
    case "model":
      return new Fault("embed.model", `\`${model.file}\` cannot be used. ${sentence(message)}`);
    default:
      return undefined;
  }
}

function deviceReason(kind: DeviceKind, message: string): string {
  if (kind === "cuda" && /failed to load shared library/i.test(message)) return cudaLibraries;
  if (kind === "webgpu" && /no supported adapters/i.test(message)) {
    return "No graphics adapter was found that WebGPU can use; on Linux it needs a Vulkan driver and `libvulkan.so.1`.";
  }
  return sentence(message);
}

/** The package is not there, or not made for this platform. */
function packageFault(message: string): Fault {
  const platform = `${process.platform}/${process.arch}`;
  if (/onnxruntime_binding|napi-v\d/.test(message)) {
    return new Fault(
      "package.missing",
      `The package \`onnxruntime-node\` has no binaries that work on ${platform}. ${sentence(message)} Use the embedder ` +
        "`openai` with a server.",
    );
  }
  const missing = /cannot find (?:package|module)/i.test(message);
  return new Fault(
    "package.missing",
    `The embedder \`qwen3\` needs the package \`onnxruntime-node\`. Run \`${install}\`. ` +
      (missing
        ? cudaLibraries.replace(/^CUDA's/, "For the device `cuda`: CUDA's")
        : sentence(message)),
  );
}

/** Some libraries add whole programs to what they say. */
const longestReason = 400;

/** The library's words as one sentence. */
export function sentence(message: string): string {
  const text = message.trim();
  if (text.length > longestReason) return `${text.slice(0, longestReason)}…`;
  return text === "" || /[.!?]$/.test(text) ? text : `${text}.`;
}
