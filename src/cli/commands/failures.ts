import { Command } from "commander";
import { type ExitCode, exitCodes } from "../../engine/exit-code.ts";
import type { Failure } from "../../engine/inspect.ts";
import { repeatable, usageFault } from "../command.ts";
import { countOf, table, time } from "../format.ts";
import { meaningOf } from "../meaning-of.ts";
import { type PipelineCall, pipelineCommand } from "../pipeline-command.ts";
import type { PipelineOptions } from "../pipeline-options.ts";
import type { Shell } from "../shell.ts";

interface FailuresOptions extends PipelineOptions {
  readonly document: readonly string[];
}

type Act = (call: PipelineCall<FailuresOptions>) => Promise<ExitCode>;

export function failuresCommand(shell: Shell): Command {
  const command = new Command("failures").description(
    "Documents whose newest version is not in the index, and why.",
  );
  const add = (name: string, description: string, act: Act): void => {
    const member = new Command(name)
      .description(description)
      .addOption(repeatable("--document <id>", "only this document (source:id); repeatable"));
    command.addCommand(pipelineCommand(shell, member, act));
  };
  add("list", "List them, one a line.", list);
  add("show", "Tell all that is known of them.", show);
  add("retry", "Forget them, so that the next run tries the documents again.", retry);
  add("accept", "Note that you have seen them: runs no longer end with 3 for them.", accept);
  return command;
}

/** Those that were asked for; a document that has not failed is a mistake. */
async function find(call: PipelineCall<FailuresOptions>): Promise<readonly Failure[]> {
  const { listFailures } = await import("../../engine/inspect.ts");
  const failures = await listFailures(call.pipeline, { signal: call.shell.stop.signal });
  const wanted = new Set(call.options.document);
  if (wanted.size === 0) return failures;
  const found = failures.filter(({ document }) => wanted.has(document));
  const missing = [...wanted].find((id) => !found.some(({ document }) => document === id));
  if (missing !== undefined) throw usageFault(`The document \`${missing}\` has not failed.`);
  return found;
}

const list: Act = async (call) => {
  const { terminal } = call.shell;
  const failures = await find(call);
  terminal.document({ failures });
  const rows = failures.map((failure) => [
    failure.document,
    failure.stage,
    failure.code,
    failure.accepted ? "accepted" : failure.retried ? "tried again" : "waits",
  ]);
  if (rows.length > 0) {
    const [head = "", ...lines] = table([["document", "stage", "code", "state"], ...rows]);
    terminal.line(head, "bold");
    for (const line of lines) terminal.line(line);
    const more = call.commandLine("failures show");
    terminal.note(`${countOf(rows.length, "failure")}. See why with \`${more}\`.`);
  } else terminal.note("No failures.");
  return exitCodes.done;
};

const show: Act = async (call) => {
  const { terminal } = call.shell;
  const failures = await find(call);
  terminal.document({ failures });
  for (const failure of failures) {
    const { document, stage, code, message, attempts, first_at: first, last_at: last } = failure;
    terminal.line(document, "bold");
    terminal.line(`  ${stage}, ${code}: ${message}`);
    const meaning = meaningOf(code);
    if (meaning !== "") terminal.line(`  ${meaning}`);
    const since = time(Date.parse(first));
    const times =
      attempts === 1 ? since : `${attempts} runs, ${since} to ${time(Date.parse(last))}`;
    terminal.line(`  failed ${times}; ${consequence(failure)}`);
    terminal.line();
  }
  if (failures.length === 0) terminal.note("No failures.");
  return exitCodes.done;
};

function consequence({ accepted, retried, indexed, folder }: Failure): string {
  const document = indexed ? "an older version is in the index" : "it is not in the index";
  const version = folder ? "what the index has of it stays" : document;
  if (accepted) return `accepted; ${version}`;
  return `${version}; ${retried ? "the next run tries it again" : "it is tried again when it changes"}`;
}

const retry: Act = async ({ shell, pipeline, options, commandLine }) => {
  const { terminal, stop } = shell;
  const { retryFailures } = await import("../../engine/inspect.ts");
  const changed = await retryFailures(pipeline, named(options), { signal: stop.signal });
  terminal.document(changed);
  terminal.line(`${countOf(changed.documents, "document")} to try again`);
  if (changed.documents > 0) terminal.note(`Next: \`${commandLine("run")}\``);
  return exitCodes.done;
};

const accept: Act = async ({ shell, pipeline, options }) => {
  const { terminal, stop } = shell;
  const { acceptFailures } = await import("../../engine/inspect.ts");
  const changed = await acceptFailures(pipeline, named(options), { signal: stop.signal });
  terminal.document(changed);
  terminal.line(`${countOf(changed.documents, "failure")} accepted`);
  return exitCodes.done;
};

function named({ document }: FailuresOptions): readonly string[] | undefined {
  return document.length === 0 ? undefined : document;
}
