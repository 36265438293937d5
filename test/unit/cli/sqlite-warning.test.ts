import { expect, test } from "vitest";
import { hideSqliteWarning } from "../../../src/cli/sqlite-warning.ts";

const sqlite = "SQLite is an experimental feature and might change at any time";

/** What still comes through when these warnings are given. */
function told(...warnings: readonly (readonly [string | Error, ...string[]])[]): unknown[] {
  const heard: unknown[] = [];
  const given = { emitWarning: (...what: readonly unknown[]) => void heard.push(what) };
  hideSqliteWarning(given);
  for (const [message, type, code] of warnings) given.emitWarning(message, type, code);
  return heard;
}

test("only the warning that SQLite is experimental is kept back", () => {
  const others: readonly (readonly [string | Error, ...string[]])[] = [
    ["Another thing is an experimental feature and might change", "ExperimentalWarning"],
    [sqlite, "DeprecationWarning"],
    [`Not at the beginning: ${sqlite}`, "ExperimentalWarning"],
    [new Error("an error as a warning")],
    ["a plain warning"],
  ];
  expect(told([sqlite, "ExperimentalWarning"], ...others)).toEqual(
    others.map(([message, type]) => [message, type, undefined]),
  );
});
