import { Command } from "commander";
import { type ExitCode, exitCodes } from "../../engine/exit-code.ts";
import type { PipelineStatus } from "../../engine/inspect.ts";
import type { RunStatusRow } from "../../engine/run-history.ts";
import { count, countOf, duration, table } from "../format.ts";
import { type PipelineCall, pipelineCommand } from "../pipeline-command.ts";
import type { Shell } from "../shell.ts";
import type { Terminal } from "../terminal.ts";

export function statusCommand(shell: Shell): Command {
  const command = new Command("status").description(
    "Tell the last runs, counts, failures and the age of the last complete listing.",
  );
  return pipelineCommand(shell, command, act);
}

async function act({ shell, pipeline, commandLine }: PipelineCall): Promise<ExitCode> {
  const { terminal, stop } = shell;
  const { status } = await import("../../engine/inspect.ts");
  const found = await status(pipeline, { signal: stop.signal });
  terminal.document(found);
  if (found.exists) tell(terminal, found);
  else terminal.line(`${found.pipeline}: never ran (there is no state at ${found.state})`);
  if (found.documents.failed > found.documents.accepted) {
    terminal.note(`See the failures with \`${commandLine("failures list")}\`.`);
  }
  return exitCodes.done;
}

function tell(terminal: Terminal, found: PipelineStatus): void {
  const { documents } = found;
  terminal.line(`${found.pipeline}  (state ${found.state})`, "bold");
  const accepted = documents.accepted > 0 ? ` (${count(documents.accepted)} accepted)` : "";
  terminal.line(
    `documents  ${count(documents.total)}: ${count(documents.indexed)} in the index, ` +
      `${count(documents.owed)} to be written, ${count(documents.withheld)} withheld, ` +
      `${count(documents.failed)} failed${accepted}`,
  );
  terminal.line();
  const sources = found.sources.map((source) => [
    source.source + (source.removed ? " (removed)" : ""),
    count(source.documents),
    count(source.owed),
    count(source.failed),
    source.complete_age_ms === undefined ? "never" : `${duration(source.complete_age_ms)} ago`,
  ]);
  tellTable(terminal, ["source", "documents", "owed", "failed", "complete listing"], sources);
  const sinks = found.sinks.map((sink) => [
    sink.sink + (sink.removed ? " (removed)" : ""),
    count(sink.documents),
    String(sink.dimension),
    sink.address,
  ]);
  tellTable(terminal, ["sink", "documents", "dimension", "address"], sinks);
  tellTable(terminal, ["run", "status", "took", "documents"], found.runs.map(runCells));
}

function tellTable(terminal: Terminal, header: string[], rows: readonly string[][]): void {
  if (rows.length === 0) return;
  const [head = "", ...lines] = table([header, ...rows]);
  terminal.line(head, "bold");
  for (const line of lines) terminal.line(line);
  terminal.line();
}

function runCells({ started_at: start, ended_at: end, status, summary }: RunStatusRow): string[] {
  const took = end === undefined ? "–" : duration(Date.parse(end) - Date.parse(start));
  return [start.slice(0, 19).replace("T", " "), status, took, changes(summary?.["documents"])];
}

/** What a run of the history did; its summary comes from the state, which may be another version's. */
function changes(documents: unknown): string {
  if (typeof documents !== "object" || documents === null) return "";
  const parts = ["added", "updated", "deleted", "withheld", "failed"].flatMap((what) => {
    const value: unknown = Object.entries(documents).find(([key]) => key === what)?.[1];
    return typeof value === "number" && value > 0 ? [`${count(value)} ${what}`] : [];
  });
  return parts.length === 0 ? `${countOf(0, "change")}` : parts.join(", ");
}
