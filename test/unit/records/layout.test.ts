import { describe, expect, it } from "vitest";
import { createLayout, type LayoutOptions } from "../../../src/records/layout.ts";

function layoutOf(changes: Partial<LayoutOptions>) {
  return createLayout({
    sink: "search",
    declared: { team: "string" },
    fields: {},
    omit: [],
    names: { pattern: /^[a-z_]+$/u, words: "lower-case letters" },
    ...changes,
  });
}

describe("the layout of records", () => {
  it("names every field as the record does, unless `fields` says otherwise", () => {
    const layout = layoutOf({ fields: { text: "body", team: "group_name" } });
    expect(layout.find("text")).toMatchObject({ name: "body", type: "string", required: true });
    expect(layout.find("team")).toMatchObject({ name: "group_name", declared: true });
    expect(layout.find("id")?.name).toBe("id");
  });

  it("leaves out what `omit` names", () => {
    const layout = layoutOf({ omit: ["title", "text", "team"] });
    expect(layout.columns.map((column) => column.field)).not.toContain("text");
    expect(layout.find("team")).toBeUndefined();
  });

  it("has another shape when anything stored changes, and the same when nothing does", () => {
    const shapes = [{}, { omit: ["title"] }, { fields: { text: "body" } }, { declared: {} }];
    expect(new Set(shapes.map((changes) => layoutOf(changes).shape)).size).toBe(4);
    expect(layoutOf({}).shape).toBe(layoutOf({}).shape);
  });

  it.each([
    [{ omit: ["fingerprint"] }, "`fingerprint`, which is always stored"],
    [{ omit: ["titel"] }, "did you mean `title`?"],
    [{ fields: { nothing: "x" } }, "`nothing`, which no record has"],
    [{ fields: { title: "text" } }, "`text` and `title` would share the column `text`"],
    [{ fields: { title: "A-1" } }, "cannot name a column `A-1` (for `title`)"],
    [{ declared: { source: "string" } }, "declares `source`, which is a field of every record"],
  ] as const)("is refused for %j", (changes, message) => {
    expect(() => layoutOf(changes as Partial<LayoutOptions>)).toThrow(
      expect.objectContaining({
        code: "config.invalid",
        message: expect.stringContaining(message),
      }),
    );
  });
});
