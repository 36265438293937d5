import { Fault } from "../../faults/index.ts";
import { catalog, catalogModel } from "../catalog.ts";
import { defaultRevision } from "../model-folder.ts";

/** Where a model's files come from. */
export interface ModelSource {
  /** The model as the catalogue calls it, or the name that was given. */
  readonly model: string;
  readonly repository: string;
  readonly revision: string;
}

/** The repository of a model: its ONNX export where the catalogue knows one, else the one of its name. */
export function modelSource(name: string, revision = defaultRevision(name)): ModelSource {
  const known = catalogModel(name);
  if (known !== undefined && known.parameters === undefined) {
    throw new Fault(
      "model.not-found",
      `\`${known.id}\` is not published: only its makers' service has it. Use the embedder \`openai\`.`,
    );
  }
  if (!/^[\w.-]+(?:\/[\w.-]+)?$/.test(name) && known === undefined) {
    throw new Fault(
      "config.invalid",
      `\`${name}\` is not the name of a model; names look like \`Qwen/Qwen3-Embedding-0.6B\`.`,
    );
  }
  const model = known?.id ?? name;
  return { model, repository: known?.onnx?.repository ?? model, revision };
}

/** The sha256 that a file of a repository has by the catalogue, at the pinned commit. */
export function pinnedSha256(
  repository: string,
  commit: string | undefined,
  path: string,
): string | undefined {
  const pinned = catalog.find(({ onnx }) => onnx?.repository === repository)?.onnx;
  if (pinned === undefined || pinned.revision !== commit) return undefined;
  return Object.hasOwn(pinned.sha256, path) ? pinned.sha256[path] : undefined;
}
