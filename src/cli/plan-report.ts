import type { Plan, PlannedSink } from "../engine/index.ts";
import { type Again, completeCommands } from "./complete-commands.ts";
import { count, countOf, duration, table } from "./format.ts";
import { tellAllowance } from "./run-report.ts";
import type { Terminal } from "./terminal.ts";

const header = [
  "sink",
  "collection",
  "exists",
  "live",
  "configured",
  "chosen",
  "metric",
  "model",
  "action",
];

/** Tells a plan: the dimension table, the documents, the work, and what would be refused. */
export function reportPlan(terminal: Terminal, plan: Plan, again: Again): void {
  const [head = "", ...rows] = table([header, ...plan.sinks.map(cells)]);
  terminal.line(head, "bold");
  for (const row of rows) terminal.line(row);
  terminal.line();
  tellWork(terminal, plan);
  for (const { action, reason = "", remedy = "" } of plan.sinks) {
    if (action !== "refuse") continue;
    terminal.error(completeCommands(`${reason} ${remedy}`.trimEnd(), again));
  }
  for (const { component, message } of plan.unreachable) {
    terminal.error(`${component}: ${message} A run goes on without it.`);
  }
  tellWithheld(terminal, plan, again);
  if (plan.reprocess !== undefined) {
    const { affected, indexed } = plan.reprocess;
    terminal.error(
      `The recipe changed: ${count(affected)} of ${countOf(indexed, "document")} would be chunked again, and embedded ` +
        "where the text differs.",
    );
    terminal.note(`  To go ahead: \`${again("run", "--reprocess")}\``);
  }
  const { error } = plan;
  if (error !== undefined && !isTold(error.code, plan)) {
    terminal.error(`${error.code}: ${completeCommands(error.message, again)}`);
  }
  terminal.line(plan.to_do ? "There is something to do." : "Nothing to do.");
}

function tellWithheld(terminal: Terminal, plan: Plan, again: Again): void {
  for (const { source, count: many, examples } of plan.withheld) {
    terminal.error(`${countOf(many, "deletion")} of source \`${source}\` would be withheld.`);
    terminal.note(`  ${examples.join(", ")}${many > examples.length ? ", …" : ""}`);
  }
  const { delete: letGo, withhold } = plan.documents;
  // What the guard would let go counts too, once the user allows a number.
  if (withhold > 0) tellAllowance(terminal, letGo + withhold, again);
}

/** Whether what is wrong was told in more detail than the error has. */
function isTold(code: string, { sinks, unreachable }: Plan): boolean {
  const parts = [...sinks, ...unreachable].some((part) => part.code === code);
  return parts || code === "refused.deletions" || code === "refused.reprocess";
}

function cells(sink: PlannedSink): string[] {
  const { model } = sink;
  const range = model.matryoshka ? `${model.min}–${model.native}` : String(model.native);
  return [
    sink.sink,
    sink.address,
    existence(sink),
    liveVectors(sink),
    String(sink.configured),
    chosenVectors(sink),
    sink.metric ?? "–",
    `${model.id} (${range})`,
    sink.action,
  ];
}

/** The live dimension, and what numbers the vectors are of when they are not the usual ones. */
function liveVectors({ exists, live_dimension: live, element_type: type }: PlannedSink): string {
  const length = live === undefined ? [] : [String(live)];
  const kind = exists !== true || type === undefined || type === "float32" ? [] : [type];
  return [...length, ...kind].join(" ") || "–";
}

function chosenVectors({ dimension, sliced }: PlannedSink): string {
  if (dimension === undefined) return "–";
  return sliced === true ? `${dimension} (sliced)` : String(dimension);
}

function existence({ exists, records = 0 }: PlannedSink): string {
  if (exists === undefined) return "?";
  return exists ? `yes (${countOf(records, "record")})` : "no";
}

function tellWork(terminal: Terminal, plan: Plan): void {
  const { documents, chunks, tokens } = plan;
  const parts = [
    `${count(documents.add)} to add`,
    `${count(documents.update)} to update`,
    `${count(documents.delete)} to delete`,
    ...(documents.withhold > 0 ? [`${count(documents.withhold)} to withhold`] : []),
    `${count(documents.unchanged)} unchanged`,
    ...(documents.failed > 0 ? [`${count(documents.failed)} failed`] : []),
  ];
  terminal.line(`documents  ${count(documents.listed)} listed: ${parts.join(", ")}`);
  const about = chunks.exact ? "" : "about ";
  const share = chunks.total === 0 ? 0 : Math.round((chunks.cached / chunks.total) * 100);
  terminal.line(
    `chunks     ${about}${count(chunks.total)}: ${about}${count(chunks.to_embed)} to embed ` +
      `(${about}${countOf(tokens, "token")}), ${share} % cached${chunks.exact ? "" : " (estimated)"}`,
  );
  if (plan.estimated_seconds !== undefined) {
    terminal.line(
      `time       about ${duration(plan.estimated_seconds * 1000)}, at the speed of recent runs`,
    );
  }
  if (plan.estimated_cost !== undefined) {
    terminal.line(`cost       about ${plan.estimated_cost.toFixed(2)}, at the configured price`);
  }
}
