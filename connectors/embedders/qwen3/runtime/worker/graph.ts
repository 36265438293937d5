import type { InferenceSession } from "onnxruntime-node";
import type { GraphModel } from "../options.ts";
import { ProblemError } from "./problem-error.ts";

/** How the graph is fed and read; found by looking at its inputs and outputs. */
export interface Graph {
  readonly inputs: readonly GraphInput[];
  /** The one output that is asked for. */
  readonly output: string;
  /** The output has a vector for each text, not for each token. */
  readonly pooled: boolean;
  /** The rows of every run, where the graph fixes them. */
  readonly rows?: number;
}

export interface GraphInput {
  readonly name: string;
  readonly type: "int32" | "int64" | "float32" | "float16";
  readonly role: "ids" | "mask" | "positions" | "cache";
}

type Metadata = InferenceSession.ValueMetadata;
type TensorMetadata = Extract<Metadata, { readonly isTensor: true }>;

const roles: Readonly<Record<string, GraphInput["role"]>> = {
  input_ids: "ids",
  attention_mask: "mask",
  position_ids: "positions",
};

const cacheName = /^past_key_values\.(\d+)\.(?:key|value)$/;

/** Outputs that hold what is wanted, the best first. */
const wantedOutputs = ["sentence_embedding", "last_hidden_state", "hidden_states"];

/** Recognises the graph, or says why it is not an embedder of this model. */
export function readGraph(
  session: Pick<InferenceSession, "inputMetadata" | "outputMetadata">,
  model: GraphModel,
): Graph {
  const inputs = session.inputMetadata.map((metadata) => readInput(metadata, model));
  const caches = inputs.filter(({ role }) => role === "cache");
  if (caches.length !== 0 && caches.length !== 2 * model.layers) {
    throw refused(
      `it has a cache for ${caches.length / 2} layers, and \`config.json\` says ${model.layers}`,
    );
  }
  if (!inputs.some(({ role }) => role === "ids")) throw refused("it has no input `input_ids`");
  const names = inputs.map(({ name }) => name);
  const output = readOutput(session.outputMetadata, model);
  if (!output.pooled || names.includes("attention_mask")) {
    const rows = fixedRows(session.inputMetadata);
    return rows === undefined ? { inputs, ...output } : { inputs, ...output, rows };
  }
  throw refused("it gives a vector for each text but takes no `attention_mask`");
}

function readInput(metadata: Metadata, model: GraphModel): GraphInput {
  const { name } = metadata;
  if (!metadata.isTensor) throw refused(`its input \`${name}\` is not a tensor`);
  const { type, shape } = metadata;
  const role = roles[name] ?? (cacheName.test(name) ? "cache" : undefined);
  if (role === undefined) throw refused(`it wants an input \`${name}\``);
  if (role !== "cache") {
    if (type === "int64" || type === "int32") return { name, type, role };
    throw refused(`its input \`${name}\` is ${type}, not int64`);
  }
  if (type !== "float32" && type !== "float16") {
    throw refused(`its cache \`${name}\` is ${type}, not float32 or float16`);
  }
  const [, heads, , width] = shape;
  if (differs(heads, model.kvHeads) || differs(width, model.headDim)) {
    throw refused(
      `its cache has ${heads} heads of ${width}, and \`config.json\` says ${model.kvHeads} of ${model.headDim}`,
    );
  }
  return { name, type, role };
}

function readOutput(
  outputs: readonly Metadata[],
  model: GraphModel,
): { readonly output: string; readonly pooled: boolean } {
  const tensors = outputs.filter((metadata): metadata is TensorMetadata => metadata.isTensor);
  const found = wantedOutputs
    .map((name) => tensors.find((tensor) => tensor.name === name))
    .find((tensor) => tensor !== undefined);
  if (found === undefined) {
    const names = outputs.map(({ name }) => name).filter((name) => !name.startsWith("present."));
    const given = names.map((name) => `\`${name}\``).join(", ");
    throw refused(`it gives ${given || "nothing"}, and none of ${listOf(wantedOutputs)}`);
  }
  const { name, type, shape } = found;
  const pooled = name === "sentence_embedding";
  if (type !== "float32" && type !== "float16") {
    throw refused(`its output \`${name}\` is ${type}, not float32 or float16`);
  }
  if (shape.length !== (pooled ? 2 : 3)) {
    throw refused(`its output \`${name}\` has ${shape.length} axes`);
  }
  if (differs(shape.at(-1), model.hidden)) {
    const expected = `\`config.json\` says ${model.hidden}`;
    throw refused(`its output \`${name}\` has ${shape.at(-1)} dimensions, and ${expected}`);
  }
  return { output: name, pooled };
}

/** Some exports take one row at a time. Fixed lengths would need texts that fit. */
function fixedRows(inputs: readonly Metadata[]): number | undefined {
  const ids = inputs.find(({ name }) => name === "input_ids");
  if (ids === undefined || !ids.isTensor) return undefined;
  const [rows, columns] = ids.shape;
  if (typeof columns === "number" && columns > 0) {
    throw refused(`it takes texts of exactly ${columns} tokens`);
  }
  if (typeof rows !== "number" || rows < 1) return undefined;
  if (rows === 1) return rows;
  throw refused(`it takes exactly ${rows} texts at a time`);
}

function differs(found: number | string | undefined, expected: number): boolean {
  return typeof found === "number" && found > 0 && found !== expected;
}

function listOf(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

function refused(what: string): ProblemError {
  return new ProblemError("model", `It is not an embedder that can be run here: ${what}.`);
}
