import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { Fault } from "../faults/index.ts";
import { catalog, catalogModel } from "./catalog.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The folder that holds a folder for every model that was pulled. */
export function modelsFolder(environment: Environment = process.env): string {
  const cache = environment["XDG_CACHE_HOME"] ?? "";
  // The standard says to ignore a path that is not absolute.
  const root = isAbsolute(cache) ? cache : join(homedir(), ".cache");
  return join(root, "sluice", "models");
}

/**
 * The folder in which `sluice models pull` puts a model, and where the embedder `qwen3` looks for it. All spellings of
 * a catalogued model have one folder. Without a revision: the catalogue's, or `main`.
 */
export function modelFolder(
  name: string,
  revision = defaultRevision(name),
  environment: Environment = process.env,
): string {
  const id = catalogModel(name)?.id ?? name;
  return join(modelsFolder(environment), folderName(id), folderName(revision));
}

/** The commit that the catalogue pins for a model or for its export; `main` for all others. */
export function defaultRevision(name: string): string {
  const model = catalogModel(name) ?? catalog.find(({ onnx }) => onnx?.repository === name);
  return model?.onnx?.revision ?? "main";
}

/** A name as one part of a path; names that would lead out of the folder are refused. */
function folderName(name: string): string {
  const plain = /^[\w.@+-]+(?:[/:][\w.@+-]+)*$/.test(name);
  if (!plain || name.split("/").some((part) => /^\.+$/.test(part))) {
    throw new Fault(
      "config.invalid",
      `\`${name}\` is not the name of a model or revision; names look like \`Qwen/Qwen3-Embedding-0.6B\` and \`main\`.`,
    );
  }
  return name.replaceAll(/[/:]/g, "--");
}
