import { existsSync } from "node:fs";
import type { Command } from "commander";
import { repeatable, usageFault } from "./command.ts";

/** Options of every command that reads a pipeline file. */
export interface PipelineOptions {
  readonly file: readonly string[];
  readonly set: readonly string[];
  readonly variables: readonly string[];
}

const defaultFile = "sluice.yaml";

export function withPipelineOptions(command: Command): Command {
  return command
    .addOption(repeatable("-f, --file <file>", "lay this file over the one before; repeatable"))
    .addOption(repeatable("--set <path=value>", "set a value over the files; repeatable"))
    .addOption(
      repeatable("--variables <file>", "read variables from NAME=value lines; repeatable"),
    );
}

/** The files of a pipeline, the first at the bottom. */
export function pipelineFiles(
  file: string | undefined,
  options: PipelineOptions,
): readonly [string, ...string[]] {
  const [first, ...rest] = file === undefined ? options.file : [file, ...options.file];
  if (first !== undefined) return [first, ...rest];
  if (!existsSync(defaultFile)) {
    throw usageFault(
      `There is no \`${defaultFile}\` in this folder. Name a pipeline file, or write one with \`sluice init\`.`,
    );
  }
  return [defaultFile];
}

/** A command about the same pipeline, ready to be typed or pasted into a shell. */
export function commandLine(
  name: string,
  file: string | undefined,
  options: PipelineOptions,
  ...more: readonly string[]
): string {
  const words = ["sluice", ...name.split(" ")];
  if (file !== undefined) words.push(file);
  for (const layer of options.file) words.push("-f", layer);
  for (const setting of options.set) words.push("--set", setting);
  for (const variables of options.variables) words.push("--variables", variables);
  return [...words, ...more].map(quoted).join(" ");
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
