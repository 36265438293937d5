import { describe, expect, it } from "vitest";
import { reportPlan } from "../../../src/cli/plan-report.ts";
import { Terminal } from "../../../src/cli/terminal.ts";
import type { Plan, PlannedSink } from "../../../src/engine/index.ts";

const model = { id: "m", native: 8, min: 8, matryoshka: false };
const row: PlannedSink = {
  sink: "search",
  address: "`a`",
  configured: "auto",
  model,
  action: "open",
  exists: true,
};
const plan: Plan = {
  pipeline: "handbook",
  sinks: [row],
  documents: { listed: 0, add: 0, update: 0, delete: 0, withhold: 0, unchanged: 0, failed: 0 },
  chunks: { total: 0, to_embed: 0, cached: 0, exact: true },
  tokens: 0,
  withheld: [],
  unreachable: [],
  to_do: false,
};

function report(change: Partial<Plan>): string {
  let text = "";
  const stream = { write: (part: string) => ((text += part), true), on: () => undefined };
  const terminal = new Terminal({ stdout: stream, stderr: stream, environment: {} });
  reportPlan(terminal, { ...plan, ...change }, (name, ...more) =>
    ["sluice", name, "p.yaml", ...more].join(" "),
  );
  return text;
}

describe("the report of a plan", () => {
  it("tells why a sink is refused once, and the command to type with its file", () => {
    const reason = "The collection of sink `search` does not match the state.";
    const remedy = "Rebuild it with `sluice adopt --sink search`.";
    const code = "refused.state";
    const text = report({
      sinks: [{ ...row, action: "refuse", code, reason, remedy }],
      error: { code, message: `${reason} Nothing was written. ${remedy}` },
    });
    expect(text).toContain(`${reason} Rebuild it with \`sluice adopt p.yaml --sink search\`.`);
    expect(text.match(/does not match/g)).toHaveLength(1);
    expect(text.match(/adopt/g)).toHaveLength(1);
  });

  it("tells what is configured, what is there, and what vectors will be", () => {
    const text = report({
      sinks: [
        { ...row, live_dimension: 4, element_type: "float16", dimension: 4, sliced: true },
        { ...row, sink: "whole", configured: 8, live_dimension: 8, dimension: 8, sliced: false },
        { ...row, sink: "bits", live_dimension: 64, element_type: "binary", action: "refuse" },
        { ...row, sink: "new", exists: false, element_type: "float32", dimension: 8 },
      ],
    });
    expect(text).toMatch(/exists +live +configured +chosen/);
    expect(text).toMatch(/search +`a` +yes \(0 records\) +4 float16 +auto +4 \(sliced\)/);
    expect(text).toMatch(/whole +`a` +yes \(0 records\) +8 +8 +8 +–/);
    expect(text).toMatch(/bits +`a` +yes \(0 records\) +64 binary +auto +– +–/);
    expect(text).toMatch(/new +`a` +no +– +auto +8 +–/);
  });

  it("tells what refuses the whole run", () => {
    const error = { code: "refused.pipeline", message: "Two files. See `sluice status`." };
    expect(report({ error })).toContain("refused.pipeline: Two files. See `sluice status p.yaml`.");
  });

  it("tells of what does not answer, and knows nothing of its collection", () => {
    const { exists: _, ...unknown } = row;
    const fault = { code: "sink.unreachable", message: "Nobody there." };
    const text = report({
      sinks: [{ ...unknown, action: "unreachable", code: fault.code, reason: fault.message }],
      unreachable: [{ component: "sinks.search", ...fault }],
      error: fault,
    });
    expect(text).toMatch(/search +`a` +\? .*unreachable/);
    expect(text.match(/Nobody there/g)).toHaveLength(1);
    expect(text).toContain("sinks.search: Nobody there. A run goes on without it.");
  });
});
