import type { Command } from "commander";
import type { ExitCode } from "../engine/exit-code.ts";
import type { LoadedPipeline } from "../load-pipeline.ts";
import { action } from "./command.ts";
import { commandLine, type PipelineOptions, withPipelineOptions } from "./pipeline-options.ts";
import type { Shell } from "./shell.ts";
import { usePipeline } from "./use-pipeline.ts";

/** What a command about one pipeline works with. */
export interface PipelineCall<Options extends PipelineOptions = PipelineOptions> {
  readonly shell: Shell;
  /** Loaded, and closed when the command is done. */
  readonly pipeline: LoadedPipeline;
  readonly options: Options;
  /** A command about the same pipeline, ready to be typed or pasted into a shell. */
  commandLine(name: string, ...more: readonly string[]): string;
}

/** Completes a command about one pipeline: with the argument `[file]`, the options that go with it, and what it does. */
export function pipelineCommand<Options extends PipelineOptions>(
  shell: Shell,
  command: Command,
  act: (call: PipelineCall<Options>) => Promise<ExitCode>,
): Command {
  command.argument("[file]", "the pipeline file");
  return withPipelineOptions(command).action(
    action(shell, ([file], options: Options) =>
      usePipeline(shell, file, options, (pipeline) =>
        act({
          shell,
          pipeline,
          options,
          commandLine: (name, ...more) => commandLine(name, file, options, ...more),
        }),
      ),
    ),
  );
}
