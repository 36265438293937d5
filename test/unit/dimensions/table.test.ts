import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decideDimension, type DimensionDecision } from "../../../src/dimensions/index.ts";
import { inputOf, type Situation, situations } from "./situations.ts";

const page = readFileSync(new URL("../../../docs/guide/dimensions.md", import.meta.url), "utf8");

/** The cells of the page's table of situations, whose first column is `dimension`. */
const rows = page
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  )
  .filter(([first = "", ...rest]) => rest.length === 5 && /^(?:`auto`|\d+)$/.test(first));

describe("the table of the page on dimensions", () => {
  it.each(situations.map((situation) => [keyOf(situation).join(", "), situation] as const))(
    "says what is decided: %s",
    (_, situation) => {
      const key = keyOf(situation);
      const row = rows.find((cells) => key.every((cell, index) => cells[index] === cell));
      expect(row).toEqual([...key, ...told(decideDimension(inputOf(situation)))]);
    },
  );

  it("has no row that is not decided, and none twice", () => {
    const known = situations.map((situation) => keyOf(situation).join(", "));
    expect(rows.map((cells) => cells.slice(0, 3).join(", "))).toEqual(known);
    expect(new Set(known).size).toBe(known.length);
  });

  it("has every code that a decision can have", () => {
    const codes = situations.map((situation) => decideDimension(inputOf(situation)));
    const refused = codes.flatMap((decision) => (decision.kind === "refuse" ? decision.code : []));
    expect([...new Set(refused)].toSorted()).toEqual([
      "refused.dimension",
      "refused.element",
      "refused.metric",
      "refused.records",
      "refused.schema",
      "refused.space",
    ]);
  });
});

function keyOf({ configured, collection, model }: Situation): readonly string[] {
  return [configured === "auto" ? "`auto`" : String(configured), collection, model];
}

function told(decision: DimensionDecision): readonly string[] {
  if (decision.kind === "refuse") return ["refused", `\`${decision.code}\``, decision.remedy];
  const { kind, dimension, sliced, metric, elementType } = decision;
  const verb = kind === "create" ? "created" : "opened";
  const how = [
    `${verb}, vectors of ${dimension}`,
    ...(sliced ? ["sliced"] : []),
    ...(metric === "cosine" ? [] : [metric]),
    ...(elementType === "float32" ? [] : [`rounded to ${elementType}`]),
  ];
  return [how.join(", "), "", ""];
}
