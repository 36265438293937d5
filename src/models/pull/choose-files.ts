import { Fault } from "../../faults/index.ts";
import { type Precision, precisions } from "../precision.ts";

interface Listed {
  readonly path: string;
  readonly size: number;
}

export interface Choice<File extends Listed> {
  readonly files: readonly File[];
  /** The file for ONNX Runtime; undefined when files were chosen by name and none is one. */
  readonly graph?: string;
}

/** What an embedder reads besides the graph, as far as the model has it. Nothing for generating text. */
const companions = new Set([
  "config.json",
  "config_sentence_transformers.json",
  "modules.json",
  "1_Pooling/config.json",
  "special_tokens_map.json",
  "tokenizer.json",
  "tokenizer_config.json",
]);
const needed = ["config.json", "tokenizer.json"];

/**
 * The files of a model that an embedder needs at this precision: the graph, the weights that lie beside it, tokenizer
 * and configuration. Chosen by name, because exports differ; refused when something is missing.
 */
export function chooseByPrecision<File extends Listed>(
  files: readonly File[],
  precision: Precision,
  place: string,
): Choice<File> {
  for (const path of needed) {
    if (files.some((file) => file.path === path)) continue;
    throw new Fault(
      "model.not-found",
      `\`${place}\` has no \`${path}\`, so it is no model that sluice can run. Check the name or the folder.`,
    );
  }
  const graph = graphOf(files, precision);
  if (graph === undefined) throw withoutGraph(files, precision, place);
  return {
    files: files.filter(({ path }) => companions.has(path) || isPartOf(path, graph)),
    graph,
  };
}

/** Exactly the files that one of the patterns matches. */
export async function chooseByPattern<File extends Listed>(
  files: readonly File[],
  patterns: readonly string[],
  place: string,
): Promise<Choice<File>> {
  const { default: picomatch } = await import("picomatch");
  const matchers = patterns.map((pattern) => [pattern, picomatch(pattern, { dot: true })] as const);
  for (const [pattern, matches] of matchers) {
    if (files.some(({ path }) => matches(path))) continue;
    throw new Fault(
      "model.not-found",
      `\`${place}\` has no file that \`--file ${pattern}\` matches. ${namesOf(files)}`,
    );
  }
  const chosen = files.filter(({ path }) => matchers.some(([, matches]) => matches(path)));
  const graph = chosen.find(({ path }) => path.endsWith(".onnx"))?.path;
  return { files: chosen, ...(graph === undefined ? {} : { graph }) };
}

/** The precisions that a list of files offers. */
function offeredPrecisions(files: readonly Pick<Listed, "path">[]): readonly Precision[] {
  const names = Object.keys(precisions) as Precision[];
  return names.filter((precision) => graphOf(files, precision) !== undefined);
}

/** The graph of a precision: the first of its names, in the folder `onnx` before any other. */
function graphOf(files: readonly Pick<Listed, "path">[], precision: Precision): string | undefined {
  for (const name of precisions[precision]) {
    const found = files
      .map(({ path }) => path)
      .filter((path) => path.slice(path.lastIndexOf("/") + 1) === `${name}.onnx`)
      .toSorted((one, other) => rank(one) - rank(other) || one.length - other.length);
    if (found[0] !== undefined) return found[0];
  }
  return undefined;
}

function rank(path: string): number {
  if (path.startsWith("onnx/")) return 0;
  return path.includes("/") ? 2 : 1;
}

/** The graph itself, or weights beside it: `model.onnx_data`, `model.onnx_data_1`, `model.onnx.data`. */
function isPartOf(path: string, graph: string): boolean {
  return (
    path === graph ||
    (path.startsWith(graph) && /^[._]data(?:_\d+)?$/.test(path.slice(graph.length)))
  );
}

function withoutGraph(files: readonly Listed[], precision: Precision, place: string): Fault {
  const offered = offeredPrecisions(files);
  if (offered.length > 0) {
    return new Fault(
      "model.not-found",
      `\`${place}\` has no ONNX file of precision ${precision}; it has ${offered.join(", ")}. ` +
        "Choose with `--precision`, or name files with `--file`.",
    );
  }
  return new Fault(
    "model.not-found",
    `\`${place}\` has no ONNX file. Name the repository of an ONNX export of the model, or serve the model ` +
      "with a server and use the embedder `openai`.",
  );
}

function namesOf(files: readonly Listed[]): string {
  const most = 20;
  const names = files.slice(0, most).map(({ path }) => path);
  const more = files.length > most ? `, and ${files.length - most} more` : "";
  return `It has ${names.join(", ")}${more}.`;
}
