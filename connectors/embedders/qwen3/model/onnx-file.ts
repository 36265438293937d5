import { open } from "node:fs/promises";
import { Fault } from "../../../../src/faults/index.ts";
import { WindowReader } from "./window-reader.ts";

/** A tensor whose numbers lie in a file beside the graph. */
export interface ExternalTensor {
  readonly name: string;
  /** The file's name as the graph says it, relative to the graph's folder. */
  readonly location: string;
  readonly offset: number;
  /** Undefined: to the end of the file. */
  readonly length: number | undefined;
}

export interface OnnxFile {
  readonly size: number;
  readonly externals: readonly ExternalTensor[];
}

/** Graphs within graphs, and tensors: more is not a model but an attack. */
const deepest = 8;
const mostTensors = 200_000;
const longestName = 4_096;

/** Message types of ONNX that hold tensors, by the field numbers of those that lead to one. */
const messages = {
  model: { 7: "graph", 20: "training", 25: "function" },
  training: { 1: "graph", 2: "graph" },
  function: { 7: "node", 11: "attribute" },
  graph: { 1: "node", 5: "tensor", 15: "sparse" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse" },
  sparse: { 1: "tensor", 2: "tensor" },
} as const satisfies Record<string, Readonly<Record<number, MessageName | "tensor">>>;

type MessageName = "model" | "training" | "function" | "graph" | "node" | "attribute" | "sparse";

/**
 * Walks an ONNX file without loading it: is it one, is it whole, and where are its weights. Rejects with `embed.model`
 * otherwise.
 */
export async function readOnnxFile(path: string): Promise<OnnxFile> {
  const handle = await open(path, "r").catch((cause: unknown) => {
    throw new Fault("embed.model", `The model file \`${path}\` cannot be opened. ${fetchAgain}`, {
      cause,
    });
  });
  try {
    const { size } = await handle.stat();
    const walk = new Walk(path, new WindowReader(handle, size));
    await walk.checkStart();
    return { size, externals: await walk.run() };
  } finally {
    await handle.close();
  }
}

export const fetchAgain = "Fetch the model again with `sluice models pull NAME`.";

interface Field {
  readonly number: number;
  readonly wire: number;
  /** The value of a number, the length of everything else. */
  readonly value: number;
}

class Walk {
  readonly #path: string;
  readonly #reader: WindowReader;
  readonly #externals: ExternalTensor[] = [];
  #tensors = 0;
  #graphs = 0;

  constructor(path: string, reader: WindowReader) {
    this.#path = path;
    this.#reader = reader;
  }

  /** Files that are often found in place of a model. */
  async checkStart(): Promise<void> {
    const start = (await this.#reader.bytes(64)).toString("latin1");
    this.#reader.position = 0;
    if (this.#reader.size === 0) throw this.#fault("is empty");
    if (start.startsWith("version https://git-lfs")) {
      throw this.#fault(
        "is a pointer of Git LFS and not the model: the large file was not fetched",
      );
    }
    if (/^\s*(?:<!doctype|<html|\{)/i.test(start)) {
      throw this.#fault("is a page or a message of a server and not a model");
    }
  }

  async run(): Promise<readonly ExternalTensor[]> {
    await this.#message("model", this.#reader.size, 0);
    if (this.#graphs === 0) throw this.#notOnnx();
    return this.#externals;
  }

  async #message(name: MessageName, end: number, depth: number): Promise<void> {
    if (depth > deepest * 3) throw this.#notOnnx();
    if (name === "graph") this.#graphs += 1;
    const inner: Readonly<Record<number, MessageName | "tensor">> = messages[name];
    while (this.#reader.position < end) {
      const field = await this.#field(end);
      const next = field.wire === 2 ? inner[field.number] : undefined;
      if (field.wire !== 2) continue;
      const fieldEnd = this.#reader.position + field.value;
      if (next === "tensor") await this.#tensor(fieldEnd);
      else if (next !== undefined) await this.#message(next, fieldEnd, depth + 1);
      this.#reader.position = fieldEnd;
    }
  }

  /** `TensorProto`: the name is 8, external data 13, where the data is 14 (1: outside). */
  async #tensor(end: number): Promise<void> {
    this.#tensors += 1;
    if (this.#tensors > mostTensors) throw this.#notOnnx();
    let name = "";
    const entries = new Map<string, string>();
    while (this.#reader.position < end) {
      const field = await this.#field(end);
      if (field.wire !== 2) continue;
      const fieldEnd = this.#reader.position + field.value;
      if (field.number === 8) name = await this.#text(field.value);
      if (field.number === 13) await this.#entry(fieldEnd, entries);
      this.#reader.position = fieldEnd;
    }
    const location = entries.get("location");
    if (location === undefined) return;
    const offset = Number(entries.get("offset") ?? 0);
    const length = entries.has("length") ? Number(entries.get("length")) : undefined;
    if (!isCount(offset) || (length !== undefined && !isCount(length))) throw this.#notOnnx();
    this.#externals.push({ name, location, offset, length });
  }

  /** `StringStringEntryProto`: 1 is the key, 2 the value. */
  async #entry(end: number, entries: Map<string, string>): Promise<void> {
    let key = "";
    let value = "";
    while (this.#reader.position < end) {
      const field = await this.#field(end);
      if (field.wire !== 2) continue;
      const text = await this.#text(field.value);
      if (field.number === 1) key = text;
      if (field.number === 2) value = text;
    }
    entries.set(key, value);
  }

  async #text(length: number): Promise<string> {
    if (length > longestName) throw this.#notOnnx();
    return (await this.#reader.bytes(length)).toString("utf8");
  }

  /** Reads a field's head, and its value if that is a number. */
  async #field(end: number): Promise<Field> {
    const tag = await this.#varint();
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (number === 0) throw this.#notOnnx();
    if (wire === 0) return { number, wire, value: await this.#varint() };
    if (wire !== 1 && wire !== 2 && wire !== 5) throw this.#notOnnx();
    const value = wire === 2 ? await this.#varint() : wire === 1 ? 8 : 4;
    if (this.#reader.position + value > this.#reader.size) throw this.#truncated();
    if (this.#reader.position + value > end) throw this.#notOnnx();
    if (wire !== 2) this.#reader.position += value;
    return { number, wire, value };
  }

  async #varint(): Promise<number> {
    let value = 0;
    let factor = 1;
    for (let length = 0; length < 10; length += 1) {
      const byte = await this.#reader.byte();
      if (byte === undefined) throw this.#truncated();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw this.#notOnnx();
  }

  #truncated(): Fault {
    return this.#fault(
      this.#graphs === 0 ? "is not an ONNX file, or cut off" : "is cut off: its end is missing",
    );
  }

  #notOnnx(): Fault {
    return this.#fault("is not an ONNX file");
  }

  #fault(what: string): Fault {
    return new Fault("embed.model", `The model file \`${this.#path}\` ${what}. ${fetchAgain}`);
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
