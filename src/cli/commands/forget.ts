import { Command } from "commander";
import { type ExitCode, exitCodes } from "../../engine/exit-code.ts";
import type { ForgetResult } from "../../engine/index.ts";
import { usageFault } from "../command.ts";
import { confirm } from "../confirm.ts";
import { countOf } from "../format.ts";
import { type PipelineCall, pipelineCommand } from "../pipeline-command.ts";
import type { PipelineOptions } from "../pipeline-options.ts";
import type { Shell } from "../shell.ts";

interface ForgetCommandOptions extends PipelineOptions {
  readonly sink?: string;
  readonly source?: string;
  readonly deleteRecords?: boolean;
  readonly yes?: boolean;
}

export function forgetCommand(shell: Shell): Command {
  const command = new Command("forget")
    .description("Detach a sink or a source; its records stay unless asked otherwise.")
    .option("--sink <name>", "the sink to detach")
    .option("--source <name>", "the source to detach")
    .option("--delete-records", "also delete this pipeline's records there")
    .option("-y, --yes", "do not ask");
  return pipelineCommand(shell, command, act);
}

async function act(call: PipelineCall<ForgetCommandOptions>): Promise<ExitCode> {
  const { shell, pipeline, options } = call;
  const { terminal, stop } = shell;
  const { sink, source, deleteRecords = false } = options;
  if ((sink === undefined) === (source === undefined)) {
    throw usageFault("Name either a sink (`--sink NAME`) or a source (`--source NAME`) to forget.");
  }
  const what = sink === undefined ? `source ${source}` : `sink ${sink}`;
  const question = `Delete every record of pipeline ${pipeline.name} in ${what}?`;
  if (deleteRecords && !(await confirm(shell, options, question))) {
    terminal.document({ documents: 0, records_deleted: 0, confirmed: false });
    terminal.note("Nothing was done.");
    return exitCodes.done;
  }
  const { forget } = await import("../../engine/forget.ts");
  const chosen = sink === undefined ? { source: source ?? "" } : { sink };
  const forgotten = await forget(pipeline, { ...chosen, deleteRecords, signal: stop.signal });
  terminal.document(forgotten);
  const { documents, records_deleted: deleted } = forgotten;
  const records = deleteRecords ? `${countOf(deleted, "record")} deleted` : "its records stay";
  terminal.line(`${what}: forgot ${countOf(documents, "document")}; ${records}`);
  const isInFile =
    sink === undefined ? pipeline.sources.has(source ?? "") : pipeline.sinks.has(sink);
  if (isInFile) terminal.note(whatFollows(call, what, forgotten));
  return exitCodes.done;
}

/** What the next run makes of a sink or source that the file still has. */
function whatFollows(
  { options, commandLine }: PipelineCall<ForgetCommandOptions>,
  what: string,
  { kept }: ForgetResult,
): string {
  const { sink, deleteRecords } = options;
  if (sink === undefined) {
    return `The file still has the ${what}: the next run reads it again unless you remove it.`;
  }
  if (deleteRecords === true) {
    return `The file still has the ${what}: the next run fills it again unless you remove it.`;
  }
  if (kept !== undefined) {
    return (
      `Only its earlier collections were forgotten. Its present one, ${kept}, stays attached; ` +
      "the same command once more forgets that too."
    );
  }
  const adopt = commandLine("adopt", "--sink", sink);
  const forget = commandLine("forget", "--sink", sink, "--delete-records");
  return (
    `The file still has the ${what}. While its records are there, runs are refused: take them over with ` +
    `\`${adopt}\`, delete them with \`${forget}\`, or remove the sink from the file.`
  );
}
