import type { InferenceSession, Tensor } from "onnxruntime-node";
import type { GraphModel } from "../options.ts";
import type { LoadRequest } from "../protocol.ts";
import { type Graph, type GraphInput, readGraph } from "./graph.ts";
import { fromHalf } from "./half-float.ts";
import { type Grid, type Layout, rightPadded } from "./layout.ts";
import type { Onnx } from "./onnxruntime.ts";
import { isOutOfMemory } from "./out-of-memory.ts";
import { ProblemError } from "./problem-error.ts";

/** What the library says of a file that no device could load. */
const wrongFile =
  /protobuf|invalid_?graph|invalid model|doesn't exist|no such file|external data|load model from|not supported.*(?:opset|ir version)|opset|data file/i;

/** A model on one device, in this thread. */
export class Session {
  readonly graph: Graph;
  readonly #onnx: Onnx;
  readonly #session: InferenceSession;
  readonly #model: GraphModel;
  readonly #layout: Layout;

  private constructor(onnx: Onnx, session: InferenceSession, model: GraphModel, layout: Layout) {
    this.#onnx = onnx;
    this.#session = session;
    this.#model = model;
    this.#layout = layout;
    this.graph = readGraph(session, model);
  }

  /** Loads the model; only the tests lay rows out in another way. */
  static async load(
    onnx: Onnx,
    request: LoadRequest,
    layout: Layout = rightPadded,
  ): Promise<Session> {
    const session = await createSession(onnx, request);
    try {
      return new Session(onnx, session, request.model, layout);
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  /** Vectors of a batch, one after the other. */
  async run(ids: Int32Array, lengths: Int32Array): Promise<Float32Array<ArrayBuffer>> {
    const grid = this.#layout.fill(ids, lengths, this.#model.padId);
    const feeds = Object.fromEntries(
      this.graph.inputs.map((input) => [input.name, this.#tensorOf(input, grid)]),
    );
    const { output } = this.graph;
    let result: Tensor | undefined;
    try {
      ({ [output]: result } = await this.#session.run(feeds, [output]));
    } catch (cause) {
      const message = messageOf(cause);
      throw new ProblemError(isOutOfMemory(message) ? "memory" : "run", message, cause);
    }
    return this.#vectorsOf(result, lengths, grid);
  }

  async release(): Promise<void> {
    await this.#session.release();
  }

  #tensorOf({ role, type }: GraphInput, grid: Grid): Tensor {
    const { Tensor: Made } = this.#onnx;
    if (role === "cache") {
      const { kvHeads, headDim } = this.#model;
      const shape = [grid.rows, kvHeads, 0, headDim];
      return type === "float16"
        ? new Made("float16", new Uint16Array(0), shape)
        : new Made("float32", new Float32Array(0), shape);
    }
    const values = { ids: grid.ids, mask: grid.mask, positions: grid.positions }[role];
    const shape = [grid.rows, grid.columns];
    if (type !== "int32") return new Made("int64", values, shape);
    return new Made("int32", Int32Array.from(values, Number), shape);
  }

  #vectorsOf(
    result: Tensor | undefined,
    lengths: Int32Array,
    grid: Grid,
  ): Float32Array<ArrayBuffer> {
    const { hidden } = this.#model;
    const places = this.graph.pooled ? 1 : grid.columns;
    const wanted = grid.rows * places * hidden;
    if (result === undefined || result.size !== wanted) {
      const given = result === undefined ? "nothing" : `the shape ${result.dims.join(" × ")}`;
      const expected = `${grid.rows} × ${places} × ${hidden}`;
      throw new ProblemError("model", `The model gives ${given}, and not ${expected}.`);
    }
    const read = readerOf(result.data);
    const vectors = new Float32Array(grid.rows * hidden);
    for (const [row, length] of lengths.entries()) {
      const column = this.graph.pooled ? 0 : this.#layout.column(length, grid);
      const from = (row * places + column) * hidden;
      for (let index = 0; index < hidden; index += 1) {
        const value = read(from + index);
        if (!Number.isFinite(value)) {
          throw new ProblemError("not-finite", `Text ${row + 1} of ${grid.rows} gave ${value}.`);
        }
        vectors[row * hidden + index] = value;
      }
    }
    return vectors;
  }
}

async function createSession(onnx: Onnx, request: LoadRequest): Promise<InferenceSession> {
  const { device, deviceId, threads, model } = request;
  const backends = onnx.listSupportedBackends().map(({ name }) => name);
  if (!backends.includes(device)) {
    const platform = `${process.platform}/${process.arch}`;
    throw new ProblemError("device", `onnxruntime-node has no \`${device}\` for ${platform}.`);
  }
  const several = device === "cuda" || device === "dml";
  try {
    return await onnx.InferenceSession.create(model.file, {
      // One at a time: with a list, the first that fails would fail all.
      executionProviders: [several ? { name: device, deviceId } : device],
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      // Lengths differ from run to run, so that a plan of memory made for one does not fit the next.
      enableMemPattern: false,
      logSeverityLevel: 4,
      // Threads that wait for a device in a loop would take the CPU from parsers.
      ...(device === "cpu" ? {} : { extra: { session: { intra_op: { allow_spinning: "0" } } } }),
    });
  } catch (cause) {
    const message = messageOf(cause);
    if (device === "cpu" && isOutOfMemory(message)) {
      throw new ProblemError("memory", message, cause);
    }
    const isModel = device === "cpu" || wrongFile.test(message);
    throw new ProblemError(isModel ? "model" : "device", message, cause);
  }
}

/** Reads numbers of a tensor; halves come as `Float16Array` or, from an older Node.js, as their bits. */
function readerOf(data: Tensor["data"]): (index: number) => number {
  if (data instanceof Float32Array) return (index) => data[index] ?? Number.NaN;
  if (Array.isArray(data)) throw new ProblemError("model", "The model gives texts.");
  const bits = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
  return (index) => fromHalf(bits[index] ?? Number.NaN);
}

/** The library's own words in one line, without the place in its sources. */
function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.replace(/^\S+\.(?:cc|h|cpp):\d+ .*? was false\. /, "");
}
