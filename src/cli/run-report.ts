import type { FailureSummary, RunSummary, WithheldSummary } from "../engine/index.ts";
import { type Again, completeCommands, namesCommand } from "./complete-commands.ts";
import { embeddingLines } from "./embedding-report.ts";
import { count, countOf, duration } from "./format.ts";
import type { Terminal } from "./terminal.ts";

/** Failures that the report names; `failures list` has them all. */
const named = 5;

/** Tells a run's summary in plain words: what was done, what was not, and what to type next. */
export function reportRun(terminal: Terminal, summary: RunSummary, again: Again): void {
  if (!terminal.quiet) tellCounts(terminal, summary);
  tellFailures(terminal, summary, again);
  for (const withheld of summary.withheld) tellWithheld(terminal, summary, withheld, again);
  tellTotal(terminal, summary.withheld, again);
  if (summary.error !== undefined && summary.error.code !== "refused.deletions") {
    tellError(terminal, summary, summary.error, again);
  }
  if (summary.status === "interrupted") {
    terminal.note("Interrupted; what was settled stays. Run the same command again to go on.");
  }
}

const colours = {
  succeeded: "green",
  partial: "yellow",
  refused: "red",
  failed: "red",
  interrupted: "yellow",
} as const;

function tellCounts(terminal: Terminal, summary: RunSummary): void {
  const { documents, chunks, sinks, status } = summary;
  terminal.line(
    `${summary.pipeline}: ${status} in ${duration(summary.duration_ms)}`,
    colours[status],
  );
  // Refused before anything was listed: zeros would say nothing.
  const { listed, deleted, withheld } = documents;
  if (summary.error !== undefined && listed + deleted + withheld === 0) return;
  const done = (["added", "updated", "unchanged", "deleted"] as const).map(
    (what) => `${count(documents[what])} ${what}`,
  );
  const kept = (["withheld", "failed"] as const)
    .filter((what) => documents[what] > 0)
    .map((what) => `${count(documents[what])} ${what}`);
  terminal.line(`  documents  ${count(documents.listed)} listed: ${[...done, ...kept].join(", ")}`);
  if (chunks.total > 0) {
    const cached = chunks.cached > 0 ? `, ${count(chunks.cached)} known before` : "";
    terminal.line(
      `  chunks     ${count(chunks.total)}: ${count(chunks.embedded)} embedded ` +
        `(${countOf(summary.tokens, "token")})${cached}`,
    );
  }
  for (const line of embeddingLines(summary)) terminal.line(line);
  for (const [name, sink] of Object.entries(sinks)) {
    const lost = sink.failed > 0 ? `, ${countOf(sink.failed, "document")} not written` : "";
    terminal.line(
      `  ${name.padEnd(9)}  ${countOf(sink.upserted, "record")} written, ${count(sink.deleted)} deleted${lost} ` +
        `(dimension ${sink.dimension})`,
    );
  }
}

function tellFailures(terminal: Terminal, { documents, failures }: RunSummary, again: Again): void {
  if (documents.failed === 0) return;
  terminal.warn(
    `${countOf(documents.failed, "document")} failed; an older version, if there was one, stays in the index:`,
  );
  for (const failure of failures.slice(0, named)) terminal.note(`  ${failureLine(failure)}`);
  const more = documents.failed - Math.min(named, failures.length);
  if (more > 0) terminal.note(`  … and ${count(more)} more`);
  terminal.note(
    `  A changed document is tried again by itself. See them all with \`${again("failures list")}\`, ` +
      `try again with \`${again("failures retry")}\`, or settle for it with \`${again("failures accept")}\`.`,
  );
}

/** One failure in one line. */
export function failureLine({ document, stage, code, message }: FailureSummary): string {
  return `${document} (${stage}, ${code}): ${message.replaceAll(/\s+/g, " ")}`;
}

const reasons: Readonly<Record<WithheldSummary["reason"], (allowed: number) => string>> = {
  fraction: (allowed) =>
    `more than the guard lets go in 24 hours (${count(allowed)} more at this time)`,
  identity: () => "its root is another one than before, so absence proves nothing",
  removed: () => "the source is no longer in the pipeline file",
};

function tellWithheld(
  terminal: Terminal,
  { documents }: RunSummary,
  withheld: WithheldSummary,
  again: Again,
): void {
  const { source, examples, reason, allowed } = withheld;
  terminal.error(
    `${countOf(withheld.count, "deletion")} withheld in source \`${source}\`: ${reasons[reason](allowed)}.`,
  );
  terminal.note(
    `  ${examples.join(", ")}${withheld.count > examples.length ? ", …" : ""} stay in the index.`,
  );
  if (reason === "fraction" && documents.added > 0) {
    terminal.note(
      "  If they were only moved or renamed, they are in the index under both names and answer twice, until you let the " +
        "old ones go.",
    );
  }
  if (reason === "removed") {
    terminal.note(
      `  To keep its records for good, detach it: \`${again("forget", "--source", source)}\``,
    );
  }
}

function tellTotal(terminal: Terminal, withheld: readonly WithheldSummary[], again: Again): void {
  if (withheld.length === 0) return;
  const all = withheld.reduce((sum, one) => sum + one.count, 0);
  tellAllowance(terminal, all, again);
}

/** What to type to let deletions go; the number is of all sources together. */
export function tellAllowance(terminal: Terminal, deletions: number, again: Again): void {
  const command = again("run", `--allow-deletions=${deletions}`);
  terminal.note(`  If they are really gone: \`${command}\``);
}

function tellError(
  terminal: Terminal,
  summary: RunSummary,
  error: { readonly code: string; readonly message: string },
  again: Again,
): void {
  terminal.error(`${error.code}: ${completeCommands(error.message, again)}`);
  const next = nextStep(summary, error, again);
  if (next !== undefined) terminal.note(`  ${next}`);
}

/** What to type after a refusal or a failure of a component, unless its message says it. */
export function nextStep(
  { sinks }: Pick<RunSummary, "sinks">,
  { code, message }: { readonly code: string; readonly message: string },
  again: Again,
): string | undefined {
  if (namesCommand(message)) return undefined;
  const spoken = /--sink ([\w-]+)/.exec(message)?.[1];
  const sink =
    spoken ?? Object.keys(sinks).find((name) => message.includes(`\`${name}\``)) ?? "NAME";
  const steps: Readonly<Record<string, string>> = {
    "refused.state": `If the collection is this pipeline's: \`${again("adopt", "--sink", sink)}\`, then run again.`,
    "refused.records": `If they are this pipeline's: \`${again("adopt", "--sink", sink)}\`, then run again.`,
    "refused.reprocess": `See the cost with \`${again("plan")}\`; go ahead with \`${again("run", "--reprocess")}\`.`,
    "refused.failures": `See them with \`${again("failures list")}\`.`,
    "refused.space": `See the table with \`${again("plan")}\`.`,
    "refused.dimension": `See the table with \`${again("plan")}\`.`,
  };
  const own = steps[code];
  if (own !== undefined) return own;
  if (/^(?:source|embed|sink)\./.test(code)) return `Find out more with \`${again("doctor")}\`.`;
  return undefined;
}
