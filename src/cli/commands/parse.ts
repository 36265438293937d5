import { existsSync } from "node:fs";
import { Command } from "commander";
import { type ExitCode, exitCodes } from "../../engine/exit-code.ts";
import type { ParsedDocument } from "../../engine/parse-document.ts";
import { action, usageFault } from "../command.ts";
import { countOf } from "../format.ts";
import { openDocument, plainPipeline } from "../lone-document.ts";
import { type PipelineOptions, withPipelineOptions } from "../pipeline-options.ts";
import type { Shell } from "../shell.ts";
import type { Terminal } from "../terminal.ts";
import { usePipeline } from "../use-pipeline.ts";

interface ParseOptions extends PipelineOptions {
  readonly source?: string;
}

export function parseCommand(shell: Shell): Command {
  const command = new Command("parse")
    .description("Show the blocks and chunks that one document becomes; embeds nothing.")
    .argument("<document>", "a file")
    .option("--source <name>", "with the parsers and the chunker of this source");
  return withPipelineOptions(command)
    .addHelpText("after", "\nUses the pipeline of -f, of sluice.yaml, or the defaults.")
    .action(
      action(shell, ([document = ""], options: ParseOptions) => act(shell, document, options)),
    );
}

async function act(shell: Shell, path: string, options: ParseOptions): Promise<ExitCode> {
  const { terminal, stop } = shell;
  const named = options.file.length > 0 || options.set.length > 0 || existsSync("sluice.yaml");
  if (!named && options.source !== undefined) {
    throw usageFault("`--source` needs a pipeline; name its file with `-f`.");
  }
  const use = async (pipeline: Parameters<typeof openDocument>[0]): Promise<ExitCode> => {
    const { parseDocument } = await import("../../engine/parse-document.ts");
    const { source, document } = await openDocument(pipeline, path, options.source, stop.signal);
    const parsed = await parseDocument(pipeline, { source, document, signal: stop.signal });
    terminal.document({ document: path, ...parsed });
    tell(terminal, parsed);
    return exitCodes.done;
  };
  if (named) return usePipeline(shell, undefined, options, use);
  const pipeline = await plainPipeline();
  return use(pipeline);
}

function tell(terminal: Terminal, parsed: ParsedDocument): void {
  const { media_type: type, parser, title, warnings, blocks, chunks } = parsed;
  terminal.line(`${type}, read by ${parser}${title === undefined ? "" : `: ${title}`}`, "bold");
  for (const { code, message } of warnings) terminal.warn(`${code}: ${message}`);
  terminal.line();
  terminal.line(countOf(blocks.length, "block"), "bold");
  for (const { kind, headings, page, language, text } of blocks) {
    const where = [...headings].join(" › ");
    const about = [language, page === undefined ? undefined : `page ${page}`, where];
    terminal.line(
      `- ${kind}  ${about.filter((part) => part !== undefined && part !== "").join("  ")}`,
    );
    terminal.passage(text, "    ");
  }
  terminal.line();
  terminal.line(countOf(chunks.length, "chunk"), "bold");
  for (const [index, { tokens, repeated, context, text }] of chunks.entries()) {
    const again = repeated > 0 ? `, ${countOf(repeated, "character")} repeated` : "";
    terminal.line(`- ${index + 1}: ${countOf(tokens, "token")}${again}`);
    if (context !== "") terminal.passage(context.trimEnd(), "    | ");
    terminal.passage(text, "    ");
  }
}
