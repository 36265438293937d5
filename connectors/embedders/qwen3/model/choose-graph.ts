import { readdir } from "node:fs/promises";
import { isAbsolute, join, resolve, sep } from "node:path";
import { Fault } from "../../../../src/faults/index.ts";
import type { ModelPlace } from "./model-folder.ts";

/** Where exports have their graphs. */
const folders = ["onnx", "."];
/** From the most exact on. Chosen by what is there and not by the device, or equal files would be several spaces. */
const preferred = ["model.onnx", "model_fp16.onnx", "model_q8.onnx"];

/**
 * The graph to run: the one that is asked for, or the most exact that is there. Graphs in plain 8 or 4 bits are never
 * chosen: their vectors are far from the model's (cosine 0.64 to 0.95).
 */
export async function chooseGraph({ name, folder, file }: ModelPlace): Promise<string> {
  if (file !== undefined) return inside(folder, file);
  const found: string[] = [];
  for (const place of folders) {
    const names = await readdir(join(folder, place)).catch(() => []);
    found.push(...names.filter((one) => one.endsWith(".onnx")).map((one) => join(place, one)));
  }
  for (const best of preferred) {
    const match = folders.map((place) => join(place, best)).find((path) => found.includes(path));
    if (match !== undefined) return join(folder, match);
  }
  throw new Fault("embed.model", missing(name, folder, found));
}

function missing(name: string, folder: string, found: readonly string[]): string {
  const looked = `\`${folder}\` has no ${preferred.map((one) => `\`${one}\``).join(", ")}, in it or in \`onnx\``;
  if (found.length === 0) {
    return `${looked}. Fetch the model with \`sluice models pull ${name}\`.`;
  }
  const others = found.slice(0, 8).map((one) => `\`${one}\``);
  return (
    `${looked}, only ${others.join(", ")}. Plain 8-bit and 4-bit graphs give vectors far from the model's; name one with ` +
    `the embedder's \`file\` if it is another kind, or fetch a better one with \`sluice models pull ${name}\`.`
  );
}

function inside(folder: string, file: string): string {
  const path = resolve(folder, file);
  if (!isAbsolute(file) && path.startsWith(resolve(folder) + sep)) return path;
  throw new Fault(
    "config.invalid",
    `The embedder's \`file: ${file}\` is not inside the model's folder \`${folder}\`. Name it relative to that folder.`,
  );
}
