import { stat } from "node:fs/promises";
import { dirname, isAbsolute, normalize, resolve, sep } from "node:path";
import { Fault } from "../../../../src/faults/index.ts";
import { type ExternalTensor, fetchAgain } from "./onnx-file.ts";

/** A tensor's place in a file that exists and is long enough. */
export interface DataRange {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Finds the data of a graph's tensors. Rejects with `embed.model` when a file is missing, too short, or outside the
 * graph's folder: a model must not make sluice read other files of the machine.
 */
export async function findExternalData(
  graph: string,
  tensors: readonly ExternalTensor[],
): Promise<readonly DataRange[]> {
  const sizes = new Map<string, number>();
  const ranges: DataRange[] = [];
  for (const { name, location, offset, length } of tensors) {
    const path = placeOf(graph, location);
    const size = sizes.get(path) ?? (await sizeOf(graph, path));
    sizes.set(path, size);
    const end = offset + (length ?? 0);
    if (end > size) {
      throw new Fault(
        "embed.model",
        `The weights \`${path}\` are cut off: the tensor \`${name}\` ends at byte ${end}, the file at ${size}. ${fetchAgain}`,
      );
    }
    ranges.push({ path, offset, length: length ?? size - offset });
  }
  return ranges;
}

function placeOf(graph: string, location: string): string {
  const plain = normalize(location);
  const outside =
    location === "" ||
    location.includes("\0") ||
    isAbsolute(plain) ||
    /^[a-z]:|^[\\/]/i.test(location) ||
    plain.split(/[\\/]/).includes("..");
  if (outside) {
    throw new Fault(
      "embed.model",
      `The model file \`${graph}\` names weights outside its folder (${JSON.stringify(location.slice(0, 200))}). It is not ` +
        "loaded. Take the model from a place that you trust.",
    );
  }
  return resolve(dirname(graph), plain.split("/").join(sep));
}

async function sizeOf(graph: string, path: string): Promise<number> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw unreadable(graph, path, cause);
    return undefined;
  });
  if (found?.isFile() === true) return found.size;
  throw unreadable(graph, path);
}

function unreadable(graph: string, path: string, cause?: unknown): Fault {
  return new Fault(
    "embed.model",
    `The weights \`${path}\` that the model file \`${graph}\` needs are missing or cannot be read. ${fetchAgain}`,
    { cause },
  );
}
