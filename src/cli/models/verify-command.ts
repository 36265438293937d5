import { basename, resolve } from "node:path";
import { Command } from "commander";
import type { Embedder } from "../../contracts/index.ts";
import { type ExitCode, exitCodes } from "../../engine/exit-code.ts";
import { Fault } from "../../faults/index.ts";
import { systemClock } from "../../flow/index.ts";
import type { LoadedPipeline } from "../../load-pipeline.ts";
import { knownModel } from "../../models/index.ts";
import type { Precision } from "../../models/precision.ts";
import type { Verification } from "../../models/verify/verify-embedder.ts";
import { action, usageFault } from "../command.ts";
import { type PipelineOptions, withPipelineOptions } from "../pipeline-options.ts";
import type { Shell } from "../shell.ts";
import { usePipeline } from "../use-pipeline.ts";
import { precisionOption } from "./pull-command.ts";

interface VerifyOptions extends PipelineOptions {
  readonly path?: string;
  readonly model?: string;
  readonly precision: Precision;
  readonly golden?: string;
}

export function modelsVerifyCommand(shell: Shell): Command {
  const command = new Command("verify")
    .description("Prove that an embedder gives its model's vectors, and name the usual mistake.")
    .argument("[file]", "the pipeline file whose embedder is verified")
    .option("--path <folder>", "verify a model's files in this folder, without a pipeline")
    .option("--model <name>", "with --path: which model it is, where the folder does not tell")
    .addOption(precisionOption("what it computes in").default("fp16"))
    .option("--golden <file>", "compare with the vectors of a reference implementation, too");
  return withPipelineOptions(command).action(
    action(shell, ([file, ...more], options: VerifyOptions) => {
      if (more.length > 0) throw usageFault("Name one pipeline file.");
      if (options.path === undefined) return verifyPipeline(shell, file, options);
      if (file === undefined) return verifyFolder(shell, options.path, options);
      throw usageFault("Name a pipeline file or `--path FOLDER`, not both.");
    }),
  );
}

function verifyPipeline(
  shell: Shell,
  file: string | undefined,
  options: VerifyOptions,
): Promise<ExitCode> {
  if (options.model !== undefined) throw usageFault("`--model` goes with `--path`.");
  return usePipeline(shell, file, options, async (pipeline) => {
    const length = await fullLength(shell, pipeline);
    if (length === undefined) return verify(shell, pipeline.embedder, options);
    const set = [...options.set, `embedder.dimensions=${length}`];
    return usePipeline(shell, file, { ...options, set }, (full) =>
      verify(shell, pipeline.embedder, options, full.embedder),
    );
  });
}

/** The length of the model's own vectors, when the pipeline has its server shorten them. */
async function fullLength(
  { stop }: Shell,
  { embedder, config }: LoadedPipeline,
): Promise<number | undefined> {
  const given = config.embedder.config;
  const asks = typeof given === "object" && given !== null && "dimensions" in given;
  if (!asks || given.dimensions === undefined) return undefined;
  const { id, dimensions } = await embedder.open(stop.signal);
  const native = knownModel(id)?.native;
  return native !== undefined && native > dimensions.native ? native : undefined;
}

async function verifyFolder(shell: Shell, path: string, options: VerifyOptions): Promise<ExitCode> {
  const { readManifest } = await import("../../models/manifest.ts");
  const { catalog } = await import("../../../connectors/catalog.ts");
  const manifest = await readManifest(path);
  const model = options.model ?? manifest?.model ?? basename(resolve(path));
  if (model === "") throw usageFault("Name the model in that folder with `--model`.");
  const entry = catalog.find(({ kind, type }) => kind === "embedder" && type === "qwen3");
  if (entry?.kind !== "embedder") throw new TypeError("The catalog has no embedder qwen3.");
  const connector = await entry.load();
  const context = {
    name: "embedder",
    pipeline: "models",
    folder: process.cwd(),
    clock: systemClock,
    fields: {},
  };
  const config = connector.config.parse({ model, path: resolve(path) });
  const embedder = connector.create(config, context);
  try {
    return await verify(shell, embedder, options);
  } finally {
    await embedder.close();
  }
}

async function verify(
  shell: Shell,
  embedder: Embedder,
  { precision, golden: path }: VerifyOptions,
  full?: Embedder,
): Promise<ExitCode> {
  const { verifyEmbedder } = await import("../../models/verify/verify-embedder.ts");
  const { readGoldenFile } = await import("../../models/verify/golden-file.ts");
  const golden = path === undefined ? {} : { golden: await readGoldenFile(path) };
  const twin = full === undefined ? {} : { full };
  const found = await verifyEmbedder(
    embedder,
    { precision, ...golden, ...twin },
    shell.stop.signal,
  );
  report(shell, found, precision);
  return found.right ? exitCodes.done : exitCodes.refused;
}

const marks = { right: "ok  ", wrong: "FAIL", skipped: "–   " } as const;
const colours = { right: "green", wrong: "red", skipped: "dim" } as const;

function report({ terminal }: Shell, found: Verification, precision: Precision): void {
  const { model, right, checks, findings, suspects } = found;
  const fault = right ? undefined : refusal(found);
  terminal.document({
    right,
    model: { name: model.id, revision: model.revision, dimension: model.dimensions.native },
    precision,
    checks: checks.map(({ name, verdict, detail }) => ({ name, verdict, detail })),
    findings,
    suspects,
    ...(fault === undefined ? {} : { error: { code: fault.code, message: fault.message } }),
  });
  terminal.line(`${model.id}, dimension ${model.dimensions.native}, ${precision}`, "bold");
  for (const { name, verdict, detail } of checks) {
    terminal.line(`${marks[verdict]}  ${name}: ${detail}`, colours[verdict]);
  }
  for (const { mistake, meaning, evidence, certain } of findings) {
    terminal.line();
    terminal.line(`${certain ? "" : "Probably "}${mistake}: ${meaning}`, "bold");
    terminal.line(`  told by: ${evidence}`);
  }
  if (suspects.length > 0) {
    terminal.line();
    terminal.line("The answers do not prove which mistake it is. These would explain them, too:");
    for (const { mistake, meaning } of suspects) terminal.line(`  ${mistake}: ${meaning}`);
  }
  if (fault !== undefined) terminal.error(`${fault.code}: ${fault.message}`);
}

function refusal({ model, checks, findings, suspects }: Verification): Fault {
  const failed = checks.filter(({ verdict }) => verdict === "wrong").map(({ name }) => name);
  const [first] = findings;
  const cause =
    first === undefined
      ? `possible mistakes: ${suspects.map(({ mistake }) => mistake).join(", ")}`
      : `${first.certain ? "" : "probably "}${first.mistake}. ${first.meaning}`;
  return new Fault(
    "refused.model",
    `The embedder \`${model.id}\` does not give the vectors of its model (${failed.join(", ")}): ${cause}`,
  );
}
