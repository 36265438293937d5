import { expect, it } from "vitest";
import { nextStep, reportRun } from "../../../src/cli/run-report.ts";
import { Terminal } from "../../../src/cli/terminal.ts";
import { worstOf } from "../../../src/cli/worst-of.ts";
import { commandLine } from "../../../src/cli/pipeline-options.ts";
import type { RunSummary } from "../../../src/engine/index.ts";

const options = { file: ["prod.yaml"], set: ["sinks.a.dimension=8"], variables: ["my env"] };

const summary: RunSummary = {
  pipeline: "handbook",
  run: "r",
  status: "succeeded",
  documents: { listed: 0, added: 0, updated: 0, unchanged: 0, deleted: 0, withheld: 0, failed: 0 },
  chunks: { total: 0, embedded: 0, cached: 0 },
  tokens: 0,
  sinks: { search: { dimension: 8, upserted: 0, deleted: 0, failed: 0 } },
  failures: [],
  withheld: [],
  duration_ms: 5,
};

function report(change: Partial<RunSummary>): string {
  let text = "";
  const stream = { write: (part: string) => ((text += part), true), on: () => undefined };
  const terminal = new Terminal({ stdout: stream, stderr: stream, environment: {} });
  reportRun(terminal, { ...summary, ...change }, (name, ...more) =>
    commandLine(name, "a b.yaml", options, ...more),
  );
  return text;
}

it("names the command to type with every file and option of the run, quoted for a shell", () => {
  const typed = "sluice run 'a b.yaml' -f prod.yaml --set sinks.a.dimension=8 --variables 'my env'";
  const withheld = [
    { source: "docs", count: 12, allowed: 1, examples: ["a.md"], reason: "fraction" } as const,
  ];
  expect(report({ status: "refused", withheld })).toContain(`\`${typed} --allow-deletions=12\``);
  const both = [...withheld, ...withheld.map((one) => ({ ...one, source: "notes" }))];
  expect(report({ status: "refused", withheld: both })).toContain("--allow-deletions=24`");
  const reprocess = { code: "refused.reprocess", message: "much" };
  expect(report({ status: "refused", error: reprocess })).toContain(`\`${typed} --reprocess\``);
});

it("says of documents that came and went in one run that they may have moved, and then answer twice", () => {
  const gone = { source: "docs", count: 12, allowed: 1, examples: ["a.md"] };
  const told = (added: number, reason: "fraction" | "removed"): string =>
    report({
      status: "refused",
      documents: { ...summary.documents, listed: added, added, withheld: 12 },
      withheld: [{ ...gone, reason }],
    });
  expect(told(12, "fraction")).toContain("answer twice");
  expect(told(0, "fraction")).not.toContain("twice");
  expect(told(12, "removed")).not.toContain("twice");
});

it("tells of withheld deletions once, with the counts also when nothing was listed", () => {
  const withheld = [
    { source: "docs", count: 12, allowed: 1, examples: ["a.md"], reason: "fraction" } as const,
  ];
  const documents = { ...summary.documents, withheld: 12 };
  const error = { code: "refused.deletions", message: "12 deletions are withheld." };
  const text = report({ status: "refused", documents, withheld, error });
  expect(text.match(/12 deletions/g)).toHaveLength(1);
  expect(text).not.toContain("refused.deletions");
  expect(text).toContain("0 listed");
  expect(text).toContain("12 withheld");
});

it("names a remedy once, with the file and options of the run", () => {
  const error = {
    code: "refused.state",
    message: "It does not match. Rebuild it with `sluice adopt --sink search`.",
  };
  const text = report({ status: "refused", error });
  expect(text.match(/adopt/g)).toHaveLength(1);
  expect(text).toContain("`sluice adopt 'a b.yaml' -f prod.yaml --set sinks.a.dimension=8");
  expect(text).toContain("--sink search`");
});

function step(code: string, message: string): string | undefined {
  return nextStep(summary, { code, message }, (...words) => words.join(" "));
}

it("leads out of each refusal", () => {
  expect(step("refused.state", "the sink `search` was written")).toContain("adopt --sink search");
  expect(step("refused.failures", "")).toContain("failures list");
  expect(step("embed.unreachable", "")).toContain("doctor");
  expect(step("state.locked", "")).toBeUndefined();
});

it("names a few failures and counts the rest", () => {
  const failures = Array.from({ length: 30 }, (_, index) => ({
    document: `docs:${index}`,
    stage: "parse" as const,
    code: "parse.malformed",
    message: "broken\nreally",
  }));
  const text = report({ documents: { ...summary.documents, failed: 30 }, failures });
  expect(text).toContain("30 documents failed");
  expect(text).toContain("docs:4 (parse, parse.malformed): broken really");
  expect(text).not.toContain("docs:5 ");
  expect(text).toContain("and 25 more");
});

it("ends with the gravest of several exit codes", () => {
  expect(worstOf([])).toBe(0);
  expect(worstOf([0, 3, 4])).toBe(4);
  expect(worstOf([4, 5, 0])).toBe(5);
  expect(worstOf([5, 130])).toBe(130);
  expect(worstOf([130, 1, 2])).toBe(1);
});

it("tells how fast the model was where that took a while, and what the cache saved", () => {
  const embedding = {
    calls: 40,
    busy_ms: 5200,
    texts_per_second: 812.4,
    tokens_per_second: 401_234.5,
    latency_ms: { p50: 120, p95: 180, p99: 240 },
    most_waiting: { texts: 9, tokens: 90 },
    retries: 2,
    errors: { "embed.rate-limited": 2 },
    batch_fill: 0.931,
    padding: 0.0379,
    places: [],
  };
  const cache = { hits: 20, misses: 100, hit_rate: 0.1667 };
  const documents = { ...summary.documents, listed: 1, added: 1 };
  const text = report({ documents, embedding, cache });
  expect(text).toContain(
    "  embedding  812 texts/s, 401,235 tokens/s in 5.2 s, batches 93 % full, 4 % padding, p95 180 ms, " +
      "2 calls failed (embed.rate-limited 2×)\n",
  );
  expect(text).toContain("  cache      had 20 of 120 (17 %)\n");
  const quick = { ...embedding, busy_ms: 40, retries: 0, errors: {} };
  expect(report({ documents, embedding: quick })).not.toContain("embedding");
  const rejected = { ...quick, calls: 0, errors: { "embed.rejected": 1 } };
  expect(report({ documents, embedding: rejected })).toContain(
    "  embedding  1 call failed (embed.rejected 1×)\n",
  );
  expect(report({ documents, cache: { hits: 0, misses: 0 } })).not.toContain("cache");
  expect(report({ documents, cache: { hits: 0, misses: 9, hit_rate: 0 } })).not.toContain("cache");
  expect(report({ documents, cache: { hits: 999, misses: 1, hit_rate: 0.999 } })).toContain("99 %");
});
