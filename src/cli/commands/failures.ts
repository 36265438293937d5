import { Command } from "commander";
import { type ExitCode, exitCodes } from "../../engine/exit-code.ts";
import type { Failure } from "../../engine/inspect.ts";
import { faultCodes } from "../../faults/codes.ts";
import { action, repeatable, usageFault } from "../command.ts";
import { countOf, table, time } from "../format.ts";
import { commandLine, type PipelineOptions, withPipelineOptions } from "../pipeline-options.ts";
import type { Shell } from "../shell.ts";
import { usePipeline } from "../use-pipeline.ts";

interface FailuresOptions extends PipelineOptions {
  readonly document: readonly string[];
}

type Act = (shell: Shell, file: string | undefined, options: FailuresOptions) => Promise<ExitCode>;

export function failuresCommand(shell: Shell): Command {
  const command = new Command("failures").description(
    "Documents whose newest version is not in the index, and why.",
  );
  const add = (name: string, description: string, act: Act): void => {
    const member = new Command(name)
      .description(description)
      .argument("[file]", "the pipeline file")
      .addOption(repeatable("--document <id>", "only this document (source:id); repeatable"));
    withPipelineOptions(member).action(
      action(shell, ([file], options: FailuresOptions) => act(shell, file, options)),
    );
    command.addCommand(member);
  };
  add("list", "List them, one a line.", list);
  add("show", "Tell all that is known of them.", show);
  add("retry", "Forget them, so that the next run tries the documents again.", retry);
  add("accept", "Note that you have seen them: runs no longer end with 3 for them.", accept);
  return command;
}

/** Those that were asked for; a document that has not failed is a mistake. */
async function find(
  shell: Shell,
  file: string | undefined,
  options: FailuresOptions,
): Promise<readonly Failure[]> {
  return usePipeline(shell, file, options, async (pipeline) => {
    const { listFailures } = await import("../../engine/inspect.ts");
    const failures = await listFailures(pipeline, { signal: shell.stop.signal });
    const wanted = new Set(options.document);
    if (wanted.size === 0) return failures;
    const found = failures.filter(({ document }) => wanted.has(document));
    const missing = [...wanted].find((id) => !found.some(({ document }) => document === id));
    if (missing !== undefined) throw usageFault(`The document \`${missing}\` has not failed.`);
    return found;
  });
}

const list: Act = async (shell, file, options) => {
  const { terminal } = shell;
  const failures = await find(shell, file, options);
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
    const more = commandLine("failures show", file, options);
    terminal.note(`${countOf(rows.length, "failure")}. See why with \`${more}\`.`);
  } else terminal.note("No failures.");
  return exitCodes.done;
};

const show: Act = async (shell, file, options) => {
  const { terminal } = shell;
  const failures = await find(shell, file, options);
  terminal.document({ failures });
  for (const failure of failures) {
    const { document, stage, code, message, attempts, first_at: first, last_at: last } = failure;
    terminal.line(document, "bold");
    terminal.line(`  ${stage}, ${code}: ${message}`);
    if (Object.hasOwn(faultCodes, code)) {
      terminal.line(`  ${faultCodes[code as keyof typeof faultCodes].meaning}`);
    }
    const since = time(Date.parse(first));
    const times =
      attempts === 1 ? since : `${attempts} runs, ${since} to ${time(Date.parse(last))}`;
    terminal.line(`  failed ${times}; ${consequence(failure)}`);
    terminal.line();
  }
  if (failures.length === 0) terminal.note("No failures.");
  return exitCodes.done;
};

function consequence({ accepted, retried, indexed }: Failure): string {
  const version = indexed ? "an older version is in the index" : "it is not in the index";
  if (accepted) return `accepted; ${version}`;
  return `${version}; ${retried ? "the next run tries it again" : "it is tried again when it changes"}`;
}

const retry: Act = (shell, file, options) =>
  usePipeline(shell, file, options, async (pipeline) => {
    const { retryFailures } = await import("../../engine/inspect.ts");
    const { signal } = shell.stop;
    const changed = await retryFailures(pipeline, named(options), { signal });
    shell.terminal.document(changed);
    shell.terminal.line(`${countOf(changed.documents, "document")} to try again`);
    if (changed.documents > 0) {
      shell.terminal.note(`Next: \`${commandLine("run", file, options)}\``);
    }
    return exitCodes.done;
  });

const accept: Act = (shell, file, options) =>
  usePipeline(shell, file, options, async (pipeline) => {
    const { acceptFailures } = await import("../../engine/inspect.ts");
    const { signal } = shell.stop;
    const changed = await acceptFailures(pipeline, named(options), { signal });
    shell.terminal.document(changed);
    shell.terminal.line(`${countOf(changed.documents, "failure")} accepted`);
    return exitCodes.done;
  });

function named({ document }: FailuresOptions): readonly string[] | undefined {
  return document.length === 0 ? undefined : document;
}
