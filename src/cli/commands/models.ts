import { Command } from "commander";
import { type ExitCode, exitCodes } from "../../engine/exit-code.ts";
import type { CatalogModel } from "../../models/catalog.ts";
import type { PulledModel } from "../../models/pulled-models.ts";
import { action } from "../command.ts";
import { bytes, count, table } from "../format.ts";
import type { Shell } from "../shell.ts";
import { modelsPullCommand } from "../models/pull-command.ts";
import { modelsVerifyCommand } from "../models/verify-command.ts";

export function modelsCommand(shell: Shell): Command {
  const list = new Command("list")
    .description("List the models that are known, and what of them is on this machine.")
    .action(action(shell, () => listModels(shell)));
  return new Command("models")
    .description("Embedding models: which there are, their files, and whether they are right.")
    .addCommand(list)
    .addCommand(modelsPullCommand(shell))
    .addCommand(modelsVerifyCommand(shell));
}

async function listModels({ terminal }: Shell): Promise<ExitCode> {
  const { catalog } = await import("../../models/catalog.ts");
  const { pulledModels } = await import("../../models/pulled-models.ts");
  const { modelsFolder } = await import("../../models/model-folder.ts");
  const pulled = await pulledModels();
  terminal.document({
    folder: modelsFolder(),
    models: catalog.map((model) => modelJson(model)),
    pulled: pulled.map((model) => pulledJson(model)),
  });
  const [head = "", ...lines] = table([
    ["model", "dimension", "shortest", "context", "parameters", "pulled"],
    ...catalog.map((model) => modelRow(model, pulled)),
  ]);
  terminal.line(head, "bold");
  for (const line of lines) terminal.line(line);
  terminal.line();
  if (pulled.length === 0) terminal.line(`Nothing is pulled; it would be in ${modelsFolder()}`);
  for (const model of pulled) terminal.line(pulledLine(model));
  const exported = catalog.filter(({ onnx }) => onnx !== undefined).map(({ id }) => id);
  terminal.note(
    `\`sluice models pull NAME\` fetches the files of ${exported.join(", ")}, or of the repository of another ONNX export. ` +
      "The other models are served by a server.",
  );
  return exitCodes.done;
}

function modelJson(model: CatalogModel): object {
  const { endToken, pooling, vocabulary, parameters, queryFrame, queryTask, onnx } = model;
  return {
    id: model.id,
    dimension: model.native,
    min_dimension: model.min,
    matryoshka: true,
    context_tokens: model.contextTokens,
    pooling,
    end_token: endToken,
    vocabulary,
    parameters,
    query_frame: queryFrame,
    query_task: queryTask,
    ...(onnx === undefined
      ? {}
      : { onnx: { repository: onnx.repository, revision: onnx.revision } }),
  };
}

function pulledJson({ folder, manifest }: PulledModel): object {
  if (manifest === undefined) return { folder, complete: false };
  const { model, repository, revision, commit, files } = manifest;
  const size = sizeOf(manifest.files);
  return { folder, complete: true, model, repository, revision, commit, bytes: size, files };
}

function modelRow(model: CatalogModel, pulled: readonly PulledModel[]): string[] {
  const { id, native, min, contextTokens, parameters } = model;
  const there = pulled.filter(({ manifest }) => manifest?.model === id);
  const size = there.reduce((sum, { manifest }) => sum + sizeOf(manifest?.files ?? []), 0);
  return [
    id,
    count(native),
    count(min),
    count(contextTokens),
    parameters === undefined ? "–" : `${(parameters / 1e9).toFixed(1)} billion`,
    there.length === 0 ? "" : bytes(size),
  ];
}

function pulledLine({ folder, manifest }: PulledModel): string {
  if (manifest === undefined) return `unfinished: ${folder}`;
  const { model, revision, files } = manifest;
  return `${model} (${revision}), ${bytes(sizeOf(files))}: ${folder}`;
}

function sizeOf(files: readonly { readonly size: number }[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
