import { Command } from "commander";
import { type ExitCode, exitCodes } from "../../engine/exit-code.ts";
import type { QueryHit } from "../../engine/index.ts";
import { action, fileAndLast, repeatable, usageFault, wholeNumber } from "../command.ts";
import { parseFilter } from "../filters.ts";
import { countOf } from "../format.ts";
import { type PipelineOptions, withPipelineOptions } from "../pipeline-options.ts";
import type { Shell } from "../shell.ts";
import { usePipeline } from "../use-pipeline.ts";

interface QueryCommandOptions extends PipelineOptions {
  readonly sink?: string;
  readonly k: number;
  readonly filter: readonly string[];
}

/** Lines and characters of a passage that are shown; `--json` has it whole. */
const shownLines = 8;
const shownCharacters = 700;

export function queryCommand(shell: Shell): Command {
  const command = new Command("query")
    .description("Find the passages of a sink that answer a text.")
    .usage("[options] [FILE] TEXT")
    .argument("<file-or-text>", "the pipeline file, when a text follows; otherwise the text")
    .argument("[text]", "what to look for; in quotes when it has spaces")
    .option("--sink <name>", "the sink to search (default: the first of the file)")
    .option("-k <count>", "how many passages at most", wholeNumber(1), 5)
    .addOption(
      repeatable(
        "--filter <condition>",
        "key=value, also != < <= > >=, and key=a,b for any of them; repeatable",
      ),
    );
  return withPipelineOptions(command)
    .allowExcessArguments()
    .action(
      action(shell, (given, options: QueryCommandOptions) => {
        const { file, last } = fileAndLast(given, "the text to look for");
        return act(shell, file, last, options);
      }),
    );
}

async function act(
  shell: Shell,
  file: string | undefined,
  text: string,
  options: QueryCommandOptions,
): Promise<ExitCode> {
  const { terminal, stop } = shell;
  if (text.trim() === "") throw usageFault("The text to look for is empty.");
  const filter = options.filter.map(parseFilter);
  return usePipeline(shell, file, options, async (pipeline) => {
    const { query } = await import("../../engine/query.ts");
    const { sink, k } = options;
    const chosen = sink === undefined ? {} : { sink };
    const { hits } = await query(pipeline, { text, k, filter, ...chosen, signal: stop.signal });
    terminal.document({ hits });
    for (const [index, hit] of hits.entries()) tellHit(shell, hit, index + 1);
    if (hits.length === 0) terminal.note("Nothing found.");
    else terminal.note(countOf(hits.length, "passage"), "dim");
    return exitCodes.done;
  });
}

function tellHit({ terminal }: Shell, hit: QueryHit, place: number): void {
  const path = pathBefore(hit);
  const page = hit.page === undefined ? "" : ` (page ${hit.page})`;
  const heading = path.length === 0 ? "" : `  ${path.join(" › ")}`;
  terminal.line(`${place}. ${hit.document}${page}  ${hit.score.toFixed(4)}`, "bold");
  if (heading !== "") terminal.line(` ${heading}`, "dim");
  terminal.passage(excerpt(hit.text), "   ");
  terminal.line();
}

/** The headings above a passage; one that the passage begins with is read there. */
function pathBefore({ headings = [], text }: QueryHit): readonly string[] {
  const [firstLine = ""] = text.trim().split("\n", 1);
  return firstLine.trim() === headings.at(-1) ? headings.slice(0, -1) : headings;
}

function excerpt(text: string): string {
  const lines = text.trim().split("\n");
  const short = lines.slice(0, shownLines).join("\n");
  const cut = Array.from(short).slice(0, shownCharacters).join("");
  return cut.length < text.trim().length ? `${cut} …` : cut;
}
