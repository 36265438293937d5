import { Command } from "commander";
import type { Problem } from "../../config/problem.ts";
import { type ExitCode, exitCodes } from "../../engine/exit-code.ts";
import { isFault } from "../../faults/index.ts";
import { action } from "../command.ts";
import { pipelineFiles, type PipelineOptions, withPipelineOptions } from "../pipeline-options.ts";
import type { Shell } from "../shell.ts";

export function validateCommand(shell: Shell): Command {
  const command = new Command("validate")
    .description("Check pipeline files without touching any server or running foreign code.")
    .argument("[files...]", "pipeline files");
  return withPipelineOptions(command).action(
    action(shell, (files, options: PipelineOptions) => act(shell, files, options)),
  );
}

async function act(
  shell: Shell,
  files: readonly string[],
  options: PipelineOptions,
): Promise<ExitCode> {
  const { terminal } = shell;
  const { assertDistinct, parsePipeline } = await import("../../load-pipeline.ts");
  const { formatProblem } = await import("../../config/problem.ts");
  const { set, variables: envFiles } = options;
  const given = files.length === 0 ? [undefined] : files;
  const groups = given.map((file) => pipelineFiles(file, options));
  const outcomes = await Promise.all(
    groups.map((group) => parsePipeline(group, { set, envFiles })),
  );
  const rows = outcomes.map(({ problems, warnings, config }, index) => ({
    file: groups[index]?.join(" + ") ?? "",
    ...(config === undefined ? {} : { pipeline: config.name }),
    valid: problems.length === 0,
    problems: problems.map(place),
    warnings: warnings.map(place),
  }));
  const clash = clashOf(() =>
    assertDistinct(outcomes.flatMap(({ config }) => (config === undefined ? [] : [config]))),
  );
  const problems = outcomes.flatMap((outcome) => outcome.problems);
  for (const warning of outcomes.flatMap((outcome) => outcome.warnings)) {
    terminal.warn(`warning: ${formatProblem(warning)}`);
  }
  for (const problem of problems) terminal.error(formatProblem(problem));
  if (clash !== undefined) terminal.error(clash.message);
  for (const { file, pipeline, valid } of rows) {
    if (valid && !terminal.quiet) terminal.line(`${file}: valid (pipeline ${pipeline})`, "green");
  }
  const message = problems.map((problem) => formatProblem(problem)).join("\n");
  const error = problems.length > 0 ? { code: "config.invalid", message } : clash;
  const valid = error === undefined;
  terminal.document({ valid, files: rows, ...(valid ? {} : { error }) });
  if (valid) return exitCodes.done;
  return problems.length > 0 ? exitCodes.usage : exitCodes.refused;
}

function place({ at, message }: Problem): object {
  return { file: at.file, line: at.line, column: at.column, message };
}

/** Why the files cannot be run together, if so. */
function clashOf(
  check: () => void,
): { readonly code: string; readonly message: string } | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!isFault(error)) throw error;
    return { code: error.code, message: error.message };
  }
}
