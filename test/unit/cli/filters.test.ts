import { expect, it } from "vitest";
import { parseFilter } from "../../../src/cli/filters.ts";

it("reads every operator, lists, and values that hold operators", () => {
  expect(parseFilter("team=platform")).toEqual({ field: "team", operator: "=", value: "platform" });
  expect(parseFilter("year>=2024")).toEqual({ field: "year", operator: ">=", value: "2024" });
  expect(parseFilter("year<2024")).toEqual({ field: "year", operator: "<", value: "2024" });
  expect(parseFilter("title!=a=b")).toEqual({ field: "title", operator: "!=", value: "a=b" });
  expect(parseFilter("team=a, b")).toEqual({ field: "team", operator: "in", value: ["a", "b"] });
  expect(parseFilter("team!=a,b")).toEqual({ field: "team", operator: "!=", value: ["a", "b"] });
  expect(parseFilter(String.raw`title=a\,b`)).toMatchObject({ operator: "=", value: "a,b" });
  expect(parseFilter("uri=")).toEqual({ field: "uri", operator: "=", value: "" });
});

it("refuses what is no condition, and says how one looks", () => {
  for (const text of ["", "team", "=x", "team~x", "2year=1"]) {
    expect(() => parseFilter(text)).toThrow("key=value");
  }
  expect(() => parseFilter("year<1,2")).toThrow("one value");
});
